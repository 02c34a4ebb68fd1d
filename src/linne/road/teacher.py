"""A teacher from a run: its network, its pixels, and which of its classes are the student's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from linne.embed.backends import device
from linne.fit.teacher import Teacher
from linne.nets.weights.recognise import read_weights
from linne.records.bundle import Bundle
from linne.records.errors import LinneError
from linne.records.fingerprint import of_arrays, of_settings
from linne.records.pixel_spec import PixelSpec
from linne.records.plan import Plan
from linne.records.run import Run


@dataclass(frozen=True)
class Teaching:
    """A run that teaches, as it was read.

    Attributes
    ----------
    folder : Path
    network : torch.nn.Module
    pixels : PixelSpec
        Its own.
    classes : list of int
        For each class of the student, which of the teacher's it is.
    fingerprint : str
        Digest of its bundle and weights.
    """

    folder: Path
    network: nn.Module
    pixels: PixelSpec
    classes: list[int]
    fingerprint: str

    def seeing(self, pixels: PixelSpec) -> Teacher:
        """Give the teacher of a student that sees these pixels."""
        return Teacher(self.network, self.pixels, pixels, self.classes, device())


def read_teacher(folder: Path, labels: tuple[str, ...]) -> Teaching:
    """Read the network of a finished run.

    Raises
    ------
    LinneError
        It is no such run, or its network does not know all classes.
    """
    run = Run.open(folder)
    bundle = Bundle.read(run.bundle)
    if bundle.task == "multi":
        raise LinneError(
            "the teacher gives an image several labels", file=folder, remedy="give a run of one label an image"
        )
    missing = [label for label in labels if label not in bundle.labels]
    if missing:
        raise LinneError(
            "the teacher does not know a class",
            file=folder,
            value=missing[0],
            remedy="give a run of the same classes",
        )
    weights = read_weights(run.checkpoint, bundle.network)
    names = sorted(weights.state)
    digest = of_settings([bundle.fingerprint, names, of_arrays(*(weights.state[name].numpy() for name in names))])
    classes = [bundle.labels.index(label) for label in labels]
    return Teaching(folder, weights.build(), bundle.pixels, classes, digest)


def refuse_another_teacher(plan: Plan, teaching: Teaching | None) -> None:
    """Raise `LinneError` where a plan was made for another teacher, or for none."""
    if plan.teacher_fingerprint != ("" if teaching is None else teaching.fingerprint):
        raise LinneError(
            "is not the teacher of the plan",
            file=None if teaching is None else teaching.folder,
            value=plan.teacher or "it has none",
            remedy="give the run that the plan was made with, as it was then, or make a new plan",
        )

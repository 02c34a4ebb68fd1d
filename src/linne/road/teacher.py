"""A teacher from a run: its network, its pixels, and which of its classes are the student's."""

from __future__ import annotations

from pathlib import Path

from linne.embed.backends import device
from linne.fit.teacher import Teacher
from linne.nets.weights.recognise import read_weights
from linne.records.bundle import Bundle
from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.run import Run


def read_teacher(folder: Path, labels: tuple[str, ...], pixels: PixelSpec) -> Teacher:
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
    network = read_weights(run.checkpoint, bundle.network).build()
    order = [bundle.labels.index(label) for label in labels]
    return Teacher(network, bundle.pixels, pixels, order, device())

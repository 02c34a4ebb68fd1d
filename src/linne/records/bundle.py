"""What is shipped: the model and everything that it needs to be used rightly."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linne.records import fingerprint
from linne.records.errors import BundleError, LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.sealed import read_sealed, write_sealed
from linne.records.task import Task

SCHEMA = 1
OF_SEVERAL_LABELS = 2
"""Schema of a bundle for several labels an image, which versions that know one label only must not take for theirs."""

MODEL = "model.onnx"
MANIFEST = "bundle.json"
REMEDY = "copy the bundle again, or export it again with `linne fit`"


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the exported model is from its network, on real validation images.

    `top1_agreement` is the share of images with the same answer: for several labels, with the same labels.
    """

    images: int
    largest_logit_error: float
    largest_probability_error: float
    top1_agreement: float


@dataclass(frozen=True, slots=True)
class Bundle:
    """The manifest beside ``model.onnx``.

    Attributes
    ----------
    labels : tuple of str
        Class names in the order of the model's logits.
    pixels : PixelSpec
        How bytes become the model's input.
    temperature : float
        Logits are divided by it before the softmax, or before the logistic function where images have several
        labels; fitted on validation images.
    network : str
    model : str
        Hex digest of ``model.onnx``.
    parity : Parity
    provenance : dict
        Versions, run, fingerprints of split and weights, seed.
    licence : str
        Licence of the weights that training started from, as far as it is known.
    task : {'single', 'multi'}
        One label an image, or any number of them.
    thresholds : tuple of float
        For several labels, the probability of each class from which on it is said; chosen on validation images.
    """

    labels: tuple[str, ...]
    pixels: PixelSpec
    temperature: float
    network: str
    model: str
    parity: Parity
    provenance: dict[str, Any]
    licence: str
    task: Task = "single"
    thresholds: tuple[float, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hex digest of the manifest, which names the model's digest."""
        return fingerprint.of_settings(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        value = {**asdict(self), "labels": list(self.labels), "pixels": self.pixels.to_json()}
        if self.task == "multi":
            return {"schema": OF_SEVERAL_LABELS, **value, "thresholds": list(self.thresholds)}
        return {"schema": SCHEMA, **{name: kept for name, kept in value.items() if name not in ("task", "thresholds")}}

    def write(self, folder: Path) -> None:
        """Write ``bundle.json``, sealed with its own digest."""
        write_sealed(folder / MANIFEST, self.to_json())

    @classmethod
    def read(cls, folder: Path) -> Bundle:
        """Read and check a bundle's manifest.

        Raises
        ------
        BundleError
            The folder is gone, the manifest was altered or is of another schema.
        """
        path = folder / MANIFEST
        if not folder.is_dir():
            raise BundleError("no such bundle", file=folder, remedy="give the folder that holds bundle.json")
        value = read_sealed(path, "bundle", (SCHEMA, OF_SEVERAL_LABELS), BundleError, REMEDY)
        try:
            task: Task = "multi" if value["schema"] == OF_SEVERAL_LABELS else "single"
            thresholds = tuple(map(float, value["thresholds"])) if task == "multi" else ()
            if task == "multi" and len(thresholds) != len(value["labels"]):
                raise ValueError("there are not as many thresholds as labels")
            return cls(
                labels=tuple(value["labels"]),
                pixels=PixelSpec.from_json(value["pixels"]),
                temperature=float(value["temperature"]),
                network=value["network"],
                model=value["model"],
                parity=Parity(**value["parity"]),
                provenance=value["provenance"],
                licence=value["licence"],
                task=task,
                thresholds=thresholds,
            )
        except (KeyError, TypeError, ValueError, LinneError) as error:
            raise BundleError("is incomplete", file=path, value=error, remedy=REMEDY) from error

"""What is shipped: the model and everything that it needs to be used rightly."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linne.records import fingerprint
from linne.records.errors import BundleError, LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.sealed import read_sealed, write_sealed

SCHEMA = 1
MODEL = "model.onnx"
MANIFEST = "bundle.json"
REMEDY = "copy the bundle again, or export it again with `linne fit`"


@dataclass(frozen=True, slots=True)
class Parity:
    """How far the exported model is from its network, on real validation images."""

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
        Logits are divided by it before the softmax; fitted on validation images.
    network : str
    model : str
        Hex digest of ``model.onnx``.
    parity : Parity
    provenance : dict
        Versions, run, fingerprints of split and weights, seed.
    licence : str
        Licence of the weights that training started from, as far as it is known.
    """

    labels: tuple[str, ...]
    pixels: PixelSpec
    temperature: float
    network: str
    model: str
    parity: Parity
    provenance: dict[str, Any]
    licence: str

    @property
    def fingerprint(self) -> str:
        """Hex digest of the manifest, which names the model's digest."""
        return fingerprint.of_settings(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "schema": SCHEMA,
            **asdict(self),
            "labels": list(self.labels),
            "pixels": self.pixels.to_json(),
        }

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
        value = read_sealed(path, "bundle", SCHEMA, BundleError, REMEDY)
        try:
            return cls(
                labels=tuple(value["labels"]),
                pixels=PixelSpec.from_json(value["pixels"]),
                temperature=float(value["temperature"]),
                network=value["network"],
                model=value["model"],
                parity=Parity(**value["parity"]),
                provenance=value["provenance"],
                licence=value["licence"],
            )
        except (KeyError, TypeError, ValueError, LinneError) as error:
            raise BundleError("is incomplete", file=path, value=error, remedy=REMEDY) from error

"""A bundle as a function of image files: NumPy, Pillow and ONNX Runtime, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice, tee
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.pixels.prepare import prepare
from linne.records import fingerprint
from linne.records.bundle import MODEL, REMEDY, Bundle
from linne.records.content import Content, FileContent
from linne.records.errors import BundleError, ImageError, LinneError
from linne.records.task import Task
from linne.runtime.cores import available_cores
from linne.runtime.session import Session

BATCH = 32

PathName = str | PathLike[str]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a bundle says of one image.

    Attributes
    ----------
    path : str
        As it was given.
    label : str
        The likeliest class; empty if the image cannot be used.
    probability : float
        Calibrated, in [0, 1].
    probabilities : dict of str to float
        Of every class, likeliest first.
    error : str
        Why the image cannot be used; empty if it can.
    task : {'single', 'multi'}
    labels : tuple of str
        Of the task 'multi', all classes whose probability reaches their threshold, likeliest first; there may be none.
    """

    path: str
    label: str = ""
    probability: float = 0.0
    probabilities: dict[str, float] | None = None
    error: str = ""
    task: Task = "single"
    labels: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; `labels` only where there may be several."""
        value = asdict(self)
        if self.task == "single":
            del value["labels"]
        return value


def probabilities_of(logits: NDArray[np.float32], temperature: float, task: Task) -> NDArray[np.float64]:
    """Logits ``(n, classes)`` to probabilities: of one label each, whose rows sum to 1, or of each class for itself."""
    scaled = logits.astype(np.float64) / temperature
    if task == "multi":
        return np.asarray(np.exp(-np.logaddexp(0, -scaled)))
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


class Predictor:
    """A loaded bundle.

    Parameters
    ----------
    folder : Path
        Holds ``bundle.json`` and ``model.onnx``.

    Raises
    ------
    BundleError
        The bundle is gone, incomplete, altered, or of another schema.
    """

    def __init__(self, folder: Path) -> None:
        self.bundle = Bundle.read(folder)
        model = folder / MODEL
        try:
            content = model.read_bytes()
        except OSError as error:
            raise BundleError("cannot be read", file=model, value=error.strerror, remedy=REMEDY) from error
        if fingerprint.of_bytes(content).hex() != self.bundle.model:
            raise BundleError("was altered or damaged: its digest is not the bundle's", file=model, remedy=REMEDY)
        try:
            self._session = Session(content)
        except LinneError as error:
            raise BundleError(error.problem, file=model, value=error.value, remedy="update onnxruntime") from error

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, in the order of the logits."""
        return self.bundle.labels

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Prepared images ``(n, channels, height, width)`` to logits ``(n, classes)``, uncalibrated."""
        batches = [self._session.run(inputs[i : i + BATCH])[0] for i in range(0, len(inputs), BATCH)]
        return np.concatenate(batches) if batches else np.empty((0, len(self.labels)), np.float32)

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits ``(n, classes)`` to calibrated probabilities of the same shape: see `probabilities_of`."""
        return probabilities_of(logits, self.bundle.temperature, self.bundle.task)

    def predict_bytes(self, content: bytes, name: str = "image") -> Prediction:
        """Predict one image from its file's bytes.

        Raises
        ------
        ImageError
            The bytes are no image, or a damaged or too large one.
        """
        inputs = prepare(content, self.bundle.pixels, name)
        return self._prediction(name, self.probabilities(self.logits(inputs[None]))[0])

    def predict(self, paths: PathName | Iterable[PathName]) -> list[Prediction]:
        """Predict image files; one that cannot be used gets an `error` instead of a label."""
        given = [paths] if isinstance(paths, str | PathLike) else paths
        return list(self.stream(given))

    def stream(self, paths: Iterable[PathName]) -> Iterator[Prediction]:
        """Predict any number of files in bounded memory, in their order."""
        contents, asked = tee(FileContent(Path(path)) for path in paths)
        for content, answer in zip(contents, self.logits_of(asked), strict=True):
            if isinstance(answer, ImageError):
                yield Prediction(content.name, error=reason(answer), task=self.bundle.task)
            else:
                yield self._prediction(content.name, self.probabilities(answer[None])[0])

    def logits_of(self, contents: Iterable[Content]) -> Iterator[NDArray[np.float32] | ImageError]:
        """Give the logits ``(classes,)`` of each image in order, or why it cannot be used.

        The next images are decoded while the model looks at some.
        """
        given = iter(contents)
        with ThreadPoolExecutor(max(2, available_cores()), thread_name_prefix="decode") as pool:

            def submit() -> list[Future[NDArray[np.float32] | ImageError]]:
                return [pool.submit(self._try_to_prepare, content) for content in islice(given, BATCH)]

            waiting = submit()
            while waiting:
                following = submit()
                prepared = [future.result() for future in waiting]
                usable = [item for item in prepared if not isinstance(item, ImageError)]
                rows = iter(self.logits(np.stack(usable)) if usable else ())
                for item in prepared:
                    yield item if isinstance(item, ImageError) else next(rows)
                waiting = following

    def _try_to_prepare(self, content: Content) -> NDArray[np.float32] | ImageError:
        try:
            return prepare(content.read(), self.bundle.pixels, content.name)
        except ImageError as error:
            return error

    def _prediction(self, path: str, probabilities: NDArray[np.float64]) -> Prediction:
        order = np.argsort(-probabilities, kind="stable")
        ranked = {self.labels[i]: float(probabilities[i]) for i in order}
        first, task = order[0], self.bundle.task
        said = order[probabilities[order] >= np.array(self.bundle.thresholds)[order]] if task == "multi" else order[:0]
        reached = tuple(self.labels[i] for i in said)
        return Prediction(path, self.labels[first], float(probabilities[first]), ranked, task=task, labels=reached)


def reason(error: LinneError) -> str:
    """Say on one line what is wrong, without the file and the remedy."""
    return str(LinneError(error.problem, value=error.value))


def load(bundle: PathName) -> Predictor:
    """Load a bundle.

    Parameters
    ----------
    bundle : path
        Folder that holds ``bundle.json`` and ``model.onnx``.

    Returns
    -------
    Predictor

    Raises
    ------
    BundleError
        The bundle is gone, incomplete, altered, or of another schema.

    Examples
    --------
    >>> import linne
    >>> linne.load("runs/photos-1/bundle").predict(["a.jpg"])  # doctest: +SKIP
    """
    return Predictor(Path(bundle))

"""A bundle served until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from linne.serve.app import create_app
from linne.serve.listen import listen
from linne.serve.predictor import Predictor, load


def serve(
    bundle: Path, host: str = "127.0.0.1", port: int = 8000, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve a bundle over HTTP until Ctrl-C.

    Parameters
    ----------
    bundle : Path
        Folder that holds ``bundle.json`` and ``model.onnx``.
    host : str
        Address or name to listen on. By default only this machine can connect; ``0.0.0.0`` lets
        others in, and there is no password.
    port : int
        0 picks a free one.
    on_ready : callable, optional
        Called with the URL as soon as requests are answered.

    Raises
    ------
    BundleError
        The bundle is gone, incomplete, altered, or of another schema.
    LinneError
        The port is in use, or the host cannot be listened on.
    """
    predictor = load(bundle)
    _warm_up(predictor)
    listen(lambda hosts: create_app(predictor, hosts), host, port, on_ready)


def _warm_up(predictor: Predictor) -> None:
    """Predict one empty image: the first run of a session takes many times longer than the next."""
    pixels = predictor.bundle.pixels
    predictor.logits(np.zeros((1, pixels.channels, pixels.height, pixels.width), np.float32))

"""Is a file a weights file, and all of it? Told by its frame; the tensors stay on the disk where that is possible."""

from __future__ import annotations

import zipfile
from pathlib import Path

from safetensors import SafetensorError, safe_open

from linne.nets.weights.torch_file import read_torch_file
from linne.records.errors import WeightsError


def flaw(path: Path, suffix: str) -> str:
    """Say in a few words why a file cannot be weights, or ''.

    Parameters
    ----------
    path : Path
    suffix : str
        '.safetensors' or one of torch's: what the file will be called, whatever it is called now.
    """
    try:
        found = _torch_archive(path) if suffix.lower() in (".pth", ".pt", ".bin") else _safetensors(path)
    except (SafetensorError, OSError, ValueError, zipfile.BadZipFile, WeightsError) as error:
        return f"it is no {suffix.removeprefix('.')} file, or a part of one: {getattr(error, 'value', None) or error}"
    return "" if found else "it holds no tensors"


def _safetensors(path: Path) -> bool:
    with safe_open(path, "pt") as file:  # compares the header with the file's length
        return bool(file.keys())


def _torch_archive(path: Path) -> bool:
    if zipfile.is_zipfile(path):  # its directory is at the end: a beginning of one is none
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    return bool(read_torch_file(path))  # the older form has no directory; such files are old, and small

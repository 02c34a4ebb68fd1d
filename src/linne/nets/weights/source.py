"""Where published weights come from: their publisher, or what the environment names in its place."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from linne.nets.weights.download import TRIES, Expected, Say, pause
from linne.nets.weights.headers import retry_after
from linne.nets.weights.published import Published
from linne.records.errors import WeightsError

MIRROR = "LINNE_MIRROR"
"""Environment variable: a folder, or an address, that holds the files as the cache does."""

OFFLINE = "LINNE_OFFLINE"
"""Environment variable: set to anything but 0, nothing is downloaded."""

ENDPOINT = "HF_ENDPOINT"
"""Environment variable: an address that stands for timm's hub."""

HUB = "https://huggingface.co"


def offline() -> bool:
    """Whether nothing may be downloaded."""
    return os.environ.get(OFFLINE, "") not in ("", "0")


def mirror() -> Path | str | None:
    """Give the mirror: a folder, an address, or None; `WeightsError` if the setting can be neither."""
    named = os.environ.get(MIRROR, "")
    if "://" in named:
        return _address(MIRROR, named, ("http", "https", "file"))
    try:
        return Path(named).expanduser() if named else None
    except RuntimeError as error:
        raise WeightsError(f"{MIRROR} names nobody's folder", value=named, remedy="write the path in full") from error


def publisher(weights: Published) -> str:
    """Where the publisher keeps the file, from the packages that know it."""
    if weights.project == "torchvision":
        from torchvision.models import get_weight

        return str(get_weight(weights.source).url)
    endpoint = _address(ENDPOINT, os.environ.get(ENDPOINT) or HUB, ("http", "https"))
    from huggingface_hub import hf_hub_url

    return str(hf_hub_url(weights.source, weights.file, endpoint=endpoint))


def _address(setting: str, named: str, schemes: tuple[str, ...]) -> str:
    """Refuse what urllib has no error of its own for."""
    try:
        parts = urlsplit(named)
        _ = parts.port  # raises where it is no number
        (parts.hostname or "").encode("idna")  # and where a label is too long
        good = parts.scheme in schemes and bool(parts.hostname or parts.scheme == "file")
    except ValueError:
        good = False
    if not good or not re.fullmatch("[!-~]+", named):
        remedy = (
            f"give one such as https://example.org/weights ({', '.join(schemes)}), with %-escapes where it needs them"
        )
        raise WeightsError(f"{setting} holds no address", value=named, remedy=remedy)
    return named.rstrip("/")


def in_name(weights: Published) -> str:
    """The beginning of the digest that torchvision writes into a file's name."""
    found = re.search(r"-([0-9a-f]{8})\.pth$", weights.file)
    return found[1] if found else ""


def told(weights: Published, source: str, say: Say | None = None) -> Expected:
    """What the publisher tells of a file: in its name, or as the hub answers."""
    if weights.project == "torchvision":
        return Expected(in_name(weights))
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.errors import HfHubHTTPError

    for attempt in range(TRIES):
        try:
            said = get_hf_file_metadata(source)
            break
        except Exception as error:
            answer = error.response if isinstance(error, HfHubHTTPError) else None
            if answer is None or answer.status_code not in (429, 503) or attempt == TRIES - 1:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise WeightsError("the hub could not be reached", value=reason) from error
            pause(attempt, retry_after(answer.headers.get("Retry-After")), say)
    digest = said.etag or ""
    return Expected(digest, said.size or 0) if re.fullmatch(r"[0-9a-f]{64}", digest) else Expected()

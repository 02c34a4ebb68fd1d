"""What a server says about the bytes that it sends."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

NUMBER = r"[0-9]{1,18}"


def version(headers: Message) -> str:
    """Give what stands for these very bytes: an ETag that is not weak, else when they were changed, or ''."""
    tag, changed = headers.get("ETag") or "", headers.get("Last-Modified") or ""
    if re.fullmatch(r'"[!#-~]*"', tag):
        return tag
    return changed if re.fullmatch(r"[ -~]{1,64}", changed) else ""


def length(headers: Message) -> int:
    """Bytes that follow, 0 where they are not counted, -1 where what is said is no number."""
    said = headers.get("Content-Length")
    if said is None or headers.get("Transfer-Encoding"):  # it overrules the other
        return 0
    return int(said) if re.fullmatch(NUMBER, said.strip()) else -1


def content_range(headers: Message) -> tuple[int, int]:
    """Place of the first byte that follows, -1 where none is told, and the bytes of the whole file, or 0."""
    found = re.fullmatch(rf"bytes ({NUMBER})-{NUMBER}/({NUMBER}|\*)", (headers.get("Content-Range") or "").strip())
    if found is None:
        return -1, 0
    return int(found[1]), 0 if found[2] == "*" else int(found[2])


def retry_after(said: str | None) -> float:
    """Seconds that a busy server asks to wait, 0 if it does not say."""
    said = (said or "").strip()
    if re.fullmatch(NUMBER, said):
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return 0.0

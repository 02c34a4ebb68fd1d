"""Where linne keeps what it can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """Give the user's cache folder for linne (``XDG_CACHE_HOME`` or ``~/.cache``)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linne"

"""Does a file's name say another format than its content?"""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.audit.widespread import FAULTS, tell
from linne.pixels.decode import FORMATS
from linne.pixels.facts import Facts
from linne.records.findings import Finding
from linne.records.index import Index

CHECK = "wrong extension"

SURE = 0.6
"""The same for all: that name and content disagree is certain, and it harms only programs that go by names."""

SUFFIXES = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "jif", "mpo"),
    "PNG": ("png", "apng"),
    "WEBP": ("webp",),
    "GIF": ("gif",),
    "BMP": ("bmp", "dib"),
    "DIB": ("dib", "bmp"),
    "TIFF": ("tif", "tiff"),
    "PPM": ("ppm", "pgm", "pbm", "pnm", "pfm"),
    "JPEG2000": ("jp2", "j2k", "jpx", "jpf", "j2c", "jpc", "jpm"),
    "AVIF": ("avif", "avifs"),
    "ICO": ("ico",),
    "TGA": ("tga", "icb", "vda", "vst"),
}
"""What each format's files are called; a name that ends in none of these says nothing."""

_LAST_SUFFIX = r"(?i)\.(?P<suffix>[a-z0-9]{2,5})$"


def wrong_extension(index: Index, facts: Facts, readable: NDArray[np.bool_]) -> list[Finding]:
    """Tell images whose names end as those of another format do."""
    suffixes = pc.struct_field(pc.extract_regex(index.paths, _LAST_SUFFIX), "suffix")
    said = pc.dictionary_encode(pc.fill_null(pc.utf8_lower(suffixes), ""))
    known = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
    agrees = np.array(
        [
            [suffix not in known or suffix in SUFFIXES[name] for name in FORMATS]
            for suffix in said.dictionary.to_pylist()
        ],
        bool,
    ).reshape(-1, len(FORMATS))
    rows = np.flatnonzero(readable & ~agrees[said.indices.to_numpy(), facts.format])

    def reason(i: int) -> str:
        row = int(rows[i])
        return f"its name ends in {PurePosixPath(index.path(row)).suffix}, and it holds {FORMATS[facts.format[row]]}"

    remedy = "rename it: linne goes by content, other programs may refuse it"
    what = "have the name of another format than they hold"
    score = np.full(len(rows), SURE)
    return tell(CHECK, index, rows, score, reason, remedy, what, int(readable.sum()), FAULTS)

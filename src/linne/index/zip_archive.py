"""A zip with class folders in it; nothing is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from linne.index.archive import Members, index_by_folder
from linne.index.names import has_image_suffix, is_debris
from linne.records.containers import Container, stamp_of
from linne.records.errors import DataError
from linne.records.index import Index
from linne.records.members import ZIP_DEFLATED, ZIP_STORED
from linne.records.set_aside import NO_IMAGE, SetAside

ENCRYPTED = 1
MADE_ON_WINDOWS = 0


def read_zip(source: Path) -> Index:
    """Index a zip of class folders, by the rules for folders; one folder that holds all others is passed over.

    Raises
    ------
    DataError
        It is damaged, or what `as_index` and `meaning_of` raise.
    """
    stamp = stamp_of(source)
    try:
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError) as error:
        raise DataError("cannot be read as a zip", file=source, value=error, remedy="bring the whole file") from error
    found = Members()
    latest: dict[str, int] = {}
    for number, info in enumerate(infos):
        latest[info.filename] = number  # a name that comes again replaces the earlier member, as in unpacking
    for number, info in enumerate(infos):
        if info.is_dir():
            continue
        name = info.filename.replace("\\", "/") if info.create_system == MADE_ON_WINDOWS else info.filename
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if any(map(is_debris, (part for part in parts if part != ".."))):
            continue
        problem = _problem(info, parts, latest[info.filename] != number)
        if problem:
            found.aside.append(SetAside(name, problem))
        else:
            found.add("/".join(parts), 0, info.header_offset, info.compress_size, info.file_size)
    return index_by_folder(source, found, (Container("", "zip", stamp),))


def _problem(info: zipfile.ZipInfo, parts: list[str], replaced: bool) -> str:
    """Why a member is left out; empty if it is not."""
    if not parts or ".." in parts:
        return "name leads out of the archive"
    if not has_image_suffix(parts[-1]):
        return NO_IMAGE
    if info.flag_bits & ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return f"is packed by method {info.compress_type}, which is not read"
    if replaced:
        return "a later member has the same name"
    return "" if info.file_size else "empty file"

"""The walk over a tar finds what `tarfile` finds."""

from __future__ import annotations

import contextlib
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.index.tar_members import Member, Torn, walk

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
PART = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
NAME = st.lists(PART, min_size=1, max_size=8).map("/".join)


def write(members: list[tuple[str, bytes]], kind: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def walked(content: bytes) -> list[Member]:
    return list(walk(io.BytesIO(content), len(content)))


@given(st.lists(st.tuples(NAME, st.binary(max_size=1200)), max_size=5), st.sampled_from(FORMATS))
def test_names_and_bytes_are_those_of_tarfile(members: list[tuple[str, bytes]], kind: int) -> None:
    try:
        content = write(members, kind)
    except ValueError:  # ustar has no room for the name
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        expected = [(info.name, info.offset_data, info.size) for info in archive]
    found = walked(content)
    assert [
        (each.name.rstrip("/"), each.offset, each.size) for each in found if each.regular or each.folder
    ] == expected
    assert [content[each.offset : each.offset + each.size] for each in found] == [bytes_ for _, bytes_ in members]


def test_folders_links_and_pipes_are_no_files() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in (
            ("d", tarfile.DIRTYPE),
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("p", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "x"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("f"))
    found = walked(file.getvalue())
    assert [(each.name.rstrip("/"), each.regular, each.folder) for each in found] == [
        ("d", False, True),
        ("l", False, False),
        ("h", False, False),
        ("p", False, False),
        ("f", True, False),
    ]


@given(st.integers(0, 512 * 9))
def test_of_a_torn_tar_what_is_whole_is_found(cut: int) -> None:
    content = write([("a", b"1" * 700), ("b" * 120, b"2" * 10), ("c", b"3")])[:cut]
    found: list[Member] = []
    try:
        for member in walk(io.BytesIO(content), len(content)):
            found.append(member)  # noqa: PERF402 - what came before the end counts
    except Torn:
        pass
    assert all(member.offset + member.size <= cut for member in found)
    assert [member.name for member in found] == ["a", "b" * 120, "c"][: len(found)]
    if cut >= 512 + 700:
        assert found


@pytest.mark.parametrize("size", ["1" * 5000, "9" * 20, "0" * 30 + "99999"])
def test_a_size_beyond_the_end_is_torn(size: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.jpg")
        info.pax_headers, info.size = {"size": size}, 3
        archive.addfile(info, io.BytesIO(b"123"))
    with pytest.raises(Torn):
        walked(file.getvalue())


@given(st.binary(max_size=1500))
def test_rubbish_is_torn(content: bytes) -> None:
    with contextlib.suppress(Torn):
        assert walked(content) == []


@given(st.integers(0, 511), st.integers(0, 255))
def test_a_damaged_header_is_torn_or_reads_the_same(tmp_path: Path, place: int, value: int) -> None:
    content = bytearray(write([("a", b"1"), ("b", b"2")], tarfile.USTAR_FORMAT))
    same = content[place] == value
    content[place] = value
    try:
        found = walked(bytes(content))
    except Torn:
        assert not same
    else:
        assert (
            same
            or content[:512] == bytes(512)
            or found == walked(write([("a", b"1"), ("b", b"2")], tarfile.USTAR_FORMAT))
        )


def test_a_header_that_claims_too_much_is_torn() -> None:
    content = bytearray(write([("a" * 300, b"1")], tarfile.GNU_FORMAT))
    for claim in (b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"rubbish9 \0\0\0"):
        header = bytearray(content[:512])
        header[124:136] = claim
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        with pytest.raises(Torn):
            walked(bytes(header) + bytes(content[512:]))

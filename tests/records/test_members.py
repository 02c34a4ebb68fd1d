"""A member of an archive is read whole, or refused: never the bytes of another."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linne.records.containers import stamp_of
from linne.records.content import MAX_BYTES, Content
from linne.records.errors import ImageError
from linne.records.members import TarMember, ZipMember

CONTENT = {name: (name * 700).encode() for name in ("a", "b")}


def tar_of(path: Path, contents: dict[str, bytes]) -> list[TarMember]:
    with tarfile.open(path, "w") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with tarfile.open(path) as archive:
        return [TarMember(path, stamp_of(path), info.name, info.offset_data, info.size) for info in archive]


def zip_of(path: Path, contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> list[ZipMember]:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with zipfile.ZipFile(path) as archive:
        return [
            ZipMember(path, stamp_of(path), info.filename, info.header_offset, info.compress_size, info.file_size)
            for info in archive.infolist()
        ]


def refused(content: Content) -> ImageError:
    with pytest.raises(ImageError) as caught:
        content.read()
    return caught.value


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_members_are_read_by_many_threads(tmp_path: Path, make: object) -> None:
    assert callable(make)
    members = make(tmp_path / "x", CONTENT)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda number: members[number % 2].read(), range(200)))
    assert read == [CONTENT["a"], CONTENT["b"]] * 100
    assert members[0].name == f"{tmp_path / 'x'}/a"


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_an_archive_that_is_gone_or_another(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path = tmp_path / "x"
    member = make(path, CONTENT)[1]
    assert member.read() == CONTENT["b"]
    shutil.copy(path, tmp_path / "copy")
    make(path, {"b": CONTENT["b"], "a": CONTENT["a"]})
    assert refused(member).file == str(path)
    make(path, {"a": CONTENT["a"]})
    assert refused(member).file == str(path)
    path.unlink()
    assert refused(member).file == str(path)
    shutil.copy(tmp_path / "copy", path)  # of another time, and the same
    assert member.read() == CONTENT["b"]


def test_another_member_in_the_same_place_is_refused(tmp_path: Path) -> None:
    """In the middle of a large archive, where its stamp does not look."""
    path = tmp_path / "x.tar"
    big = {"first": bytes(200_000), "a": CONTENT["a"], "last": bytes(200_000)}
    member = tar_of(path, big)[1]
    content = path.read_bytes()
    middle = member.offset - 512
    path.write_bytes(content[:middle] + bytes(512) + content[middle + 512 :])
    assert stamp_of(path) == member.stamp
    refused(member)


def test_a_damaged_member_of_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        big = {"first": bytes(range(256)) * 800, "a": CONTENT["a"], "last": bytes(range(256)) * 800}
        member = zip_of(path, big, method)[1]
        content = bytearray(path.read_bytes())
        content[member.offset + 33] ^= 1
        path.write_bytes(content)
        refused(ZipMember(path, stamp_of(path), "a", member.offset, member.stored, member.size))


def test_a_zip_that_was_streamed_has_its_checksum_behind_the_bytes(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, content: object) -> int:
            self.content += bytes(content)  # type: ignore[call-overload]
            return len(bytes(content))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a", CONTENT["a"])
    path = tmp_path / "x.zip"
    path.write_bytes(pipe.content)
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
    assert info.flag_bits & 8
    assert ZipMember(path, stamp_of(path), "a", 0, info.compress_size, info.file_size).read() == CONTENT["a"]


def test_bombs_are_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    member = zip_of(path, {"a": bytes(50_000_000)})[0]
    assert member.stored < 100_000
    refused(ZipMember(path, member.stamp, "a", 0, member.stored, 1000))  # more than is declared
    refused(ZipMember(path, member.stamp, "a", 0, member.stored, MAX_BYTES + 1))
    refused(ZipMember(path, member.stamp, "a", 0, member.stored, 50_000_001))


def test_places_outside_the_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    tar = tar_of(path, CONTENT)[0]
    for offset, size in ((0, 10), (512, 10**9), (10**9, 10), (100, 10), (512, MAX_BYTES + 1)):
        refused(TarMember(path, tar.stamp, "a", offset, size))
    zipped = zip_of(path, CONTENT)[0]
    for offset, stored in ((-1, 10), (10**9, 10), (5, 10), (0, 10**9)):
        refused(ZipMember(path, zipped.stamp, "a", offset, stored, 700))

"""What comes from servers that break off, lie, or hang: whole weights, or one error that says so."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from linne.nets import create
from linne.nets.weights import download as downloads
from linne.nets.weights.download import Expected, download
from linne.nets.weights.fetch import fetch, local_path, verify_all
from linne.nets.weights.headers import retry_after
from linne.nets.weights.published import Published, pick
from linne.nets.weights.whole import flaw
from linne.records.errors import WeightsError, WriteError

FILE = save({"a": torch.arange(4096)})
OTHER = save({"a": torch.arange(4096) + 1})
HALF = len(FILE) // 2
WANTED = Expected(hashlib.sha256(FILE).hexdigest())
PAGE = b"<html>sign in first</html>"


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = -1) -> bytes:
    """An answer as bytes; `length` is announced, -1 for the body's."""
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close"]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def rest(content: bytes, first: int, *headers: str) -> bytes:
    place = f"Content-Range: bytes {first}-{len(content) - 1}/{len(content)}"
    return answer(content[first:], place, *headers, status="206 Partial Content")


class Server(socketserver.ThreadingTCPServer):
    """Gives one answer after another, whatever is asked; the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[bytes] = []
        self.asked: list[dict[str, str]] = []
        self.endless = self.hangs = False
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        lines = iter(self.rfile.readline, b"\r\n")
        path = next(lines).split()[1]
        if not path.endswith((b"/f", b".safetensors", b".pth")):  # huggingface_hub asks for things of its own
            self.wfile.write(answer(b"", status="404 Not Found"))
            return
        self.server.asked.append(dict(line.decode().rstrip().split(": ", 1) for line in lines))
        answers = self.server.answers
        try:
            self.wfile.write(answers.pop(0) if len(answers) > 1 else answers[0])
            while self.server.endless:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            return  # the other side has had enough
        if self.server.hangs:
            self.server.released.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    running.released.set()
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A cache folder of the test's own, no settings of the user's; waits are noted and not waited."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("LINNE_MIRROR", "LINNE_OFFLINE", "HF_ENDPOINT", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    noted: list[float] = []
    monkeypatch.setattr(downloads.time, "sleep", noted.append)
    return noted


@pytest.fixture
def row() -> Published:
    """Weights without a published digest."""
    return pick("mobilenet_v2", "ra_in1k")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("version", ['ETag: "1"', "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT"])
@pytest.mark.parametrize("expected", [Expected(), WANTED])
def test_the_rest_is_asked_of_the_same_version(
    server: Server, tmp_path: Path, version: str, expected: Expected
) -> None:
    server.answers = [answer(FILE[:HALF], version, length=len(FILE)), rest(FILE, HALF, version)]
    download(f"{server.address}/f", tmp_path / "f.safetensors", expected)
    assert (tmp_path / "f.safetensors").read_bytes() == FILE
    assert server.asked[1]["Range"] == f"bytes={HALF}-"
    assert server.asked[1]["If-Range"] == version.split(": ", 1)[1]
    assert {asked["Accept-Encoding"] for asked in server.asked} == {"identity"}
    assert left(tmp_path) == ["f.safetensors"]


def test_versions_are_not_spliced(server: Server, tmp_path: Path) -> None:
    server.answers = [
        answer(FILE[:HALF], 'ETag: "1"', length=len(FILE)),
        rest(OTHER, HALF, 'ETag: "2"'),
        answer(OTHER, 'ETag: "2"'),
    ]
    download(f"{server.address}/f", tmp_path / "f.safetensors", Expected())
    assert (tmp_path / "f.safetensors").read_bytes() == OTHER
    assert "Range" not in server.asked[2]


def test_a_server_that_always_changes_version_is_given_up(server: Server, tmp_path: Path) -> None:
    server.answers = [answer(FILE[:HALF], 'ETag: "1"', length=len(FILE)), rest(OTHER, HALF, 'ETag: "2"')] * 8
    with pytest.raises(WeightsError):
        download(f"{server.address}/f", tmp_path / "f.safetensors", Expected())
    assert not (tmp_path / "f.safetensors").exists()


@pytest.mark.parametrize("version", [(), ('ETag: W/"1"',)])
def test_without_a_version_it_starts_anew(server: Server, tmp_path: Path, version: tuple[str, ...]) -> None:
    server.answers = [answer(FILE[:HALF], *version, length=len(FILE)), answer(OTHER, *version)]
    download(f"{server.address}/f", tmp_path / "f.safetensors", Expected())
    assert (tmp_path / "f.safetensors").read_bytes() == OTHER
    assert "Range" not in server.asked[1]


def test_the_version_at_another_address_counts_for_nothing(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.safetensors.part").write_bytes(OTHER[:HALF])
    (tmp_path / "f.safetensors.part.json").write_text(json.dumps({"url": "http://other/f", "version": '"1"'}))
    server.answers = [answer(FILE, 'ETag: "1"')]
    download(f"{server.address}/f", tmp_path / "f.safetensors", Expected())
    assert (tmp_path / "f.safetensors").read_bytes() == FILE
    assert "Range" not in server.asked[0]


@pytest.mark.parametrize("place", [f"bytes 100-{len(FILE) - 1}/{len(FILE)}", "bytes", f"bytes {HALF}-", None])
def test_a_rest_from_another_place_is_not_taken(server: Server, tmp_path: Path, place: str | None) -> None:
    headers = ['ETag: "1"', *([f"Content-Range: {place}"] if place else [])]
    server.answers = [
        answer(FILE[:HALF], 'ETag: "1"', length=len(FILE)),
        answer(FILE[100:], *headers, status="206 Partial Content"),
        answer(FILE, 'ETag: "1"'),
    ]
    download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert (tmp_path / "f.safetensors").read_bytes() == FILE


def test_a_rest_that_comes_in_pieces_is_put_together(server: Server, tmp_path: Path) -> None:
    piece = f"Content-Range: bytes {HALF}-{HALF + 9}/{len(FILE)}"
    server.answers = [
        answer(FILE[:HALF], 'ETag: "1"', length=len(FILE)),
        answer(FILE[HALF : HALF + 10], piece, 'ETag: "1"', status="206 Partial Content"),
        rest(FILE, HALF + 10, 'ETag: "1"'),
    ]
    download(f"{server.address}/f", tmp_path / "f.safetensors", Expected())
    assert (tmp_path / "f.safetensors").read_bytes() == FILE


@pytest.mark.parametrize(
    "odd",
    [
        answer(PAGE),
        answer(b""),
        answer(FILE, status="203 Non-Authoritative Information"),
        answer(b"", status="204 No Content", length=None),
        answer(gzip.compress(FILE), "Content-Encoding: gzip"),
        rest(FILE, 0),
        answer(FILE[:HALF], length=None),
        answer(FILE + b"more"),
        answer(save({})),
    ],
    ids=["page", "empty", "203", "204", "gzip", "206", "half", "more", "no tensors"],
)
def test_what_is_no_weights_file_is_not_kept(
    server: Server, row: Published, monkeypatch: pytest.MonkeyPatch, odd: bytes
) -> None:
    server.answers = [odd]
    monkeypatch.setenv("LINNE_MIRROR", server.address)
    with pytest.raises(WeightsError) as caught:
        fetch(row)
    assert caught.value.remedy
    assert server.address in str(caught.value)
    assert verify_all() == []
    server.answers = [answer(FILE)]
    assert fetch(row).read_bytes() == FILE


def test_what_an_earlier_linne_kept_is_told_with_the_remedy(row: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    path = local_path(row)
    path.parent.mkdir(parents=True)
    path.write_bytes(PAGE)
    note = {"sha256": hashlib.sha256(PAGE).hexdigest(), "source": "http://mirror", "published": ""}
    path.with_name(f"{path.name}.json").write_text(json.dumps(note))
    monkeypatch.setenv("LINNE_OFFLINE", "1")
    for get in (lambda: fetch(row), lambda: create("mobilenet_v2", weights="ra_in1k")):
        with pytest.raises(WeightsError) as caught:
            get()
        assert caught.value.file == str(path)
        assert "delete" in str(caught.value.remedy)
    assert [found.state for found in verify_all()] == ["damaged"]


def test_weights_of_something_else_in_the_cache_are_told_with_the_remedy(row: Published) -> None:
    local_path(row).parent.mkdir(parents=True)
    local_path(row).write_bytes(FILE)
    with pytest.raises(WeightsError) as caught:
        create("mobilenet_v2", weights="ra_in1k")
    assert f"delete {local_path(row)}" in str(caught.value.remedy)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_part_of_a_torch_file_is_known_from_the_whole(tmp_path: Path, zipped: bool) -> None:
    held = io.BytesIO()
    torch.save({"a": torch.arange(4096)}, held, _use_new_zipfile_serialization=zipped)
    whole, path = held.getvalue(), tmp_path / "f.pth.part"
    path.write_bytes(whole)
    assert flaw(path, ".pth") == ""
    for content in (whole[:-1], whole[: len(whole) // 2], b"", PAGE):
        path.write_bytes(content)
        assert flaw(path, ".pth") != ""


def test_an_encoded_file_is_told_as_such(server: Server, tmp_path: Path) -> None:
    server.answers = [answer(gzip.compress(FILE), "Content-Encoding: gzip")]
    with pytest.raises(WeightsError) as caught:
        download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert (caught.value.file, caught.value.value) == (f"{server.address}/f", "gzip")


@pytest.mark.parametrize("said", ["abc", "1, 1", "-1", "9" * 5000, "\u00b2"])
def test_a_length_that_is_no_number_is_told(server: Server, tmp_path: Path, said: str) -> None:
    server.answers = [
        answer(FILE, length=None).replace(b"\r\n", f"\r\nContent-Length: {said}\r\n".encode("latin-1"), 1)
    ]
    with pytest.raises(WeightsError) as caught:
        download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert (caught.value.file, caught.value.value) == (f"{server.address}/f", said)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # urllib leaves its answer to Python
@pytest.mark.parametrize("to", ["http://[::1", f"http://{'a' * 64}.org/", "http://127.0.0.1:x/", "file:///etc/passwd"])
def test_a_redirect_to_nowhere_is_told(server: Server, tmp_path: Path, to: str) -> None:
    server.answers = [answer(b"", f"Location: {to}", status="302 Found")]
    with pytest.raises(WeightsError) as caught:
        download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert caught.value.file == f"{server.address}/f"


def test_other_bytes_than_published_have_a_remedy_of_their_own(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(pick("resnet18", "IMAGENET1K_V1"), file="resnet18-00000000.pth")
    server.answers = [answer(FILE)]
    monkeypatch.setenv("LINNE_MIRROR", server.address)
    with pytest.raises(WeightsError) as caught:
        fetch(row)
    assert caught.value.file == f"{server.address}/{row.path}"
    assert str(local_path(row)) not in str(caught.value.remedy)
    assert "proxy" in str(caught.value.remedy)


def test_a_refusal_is_told_at_once(server: Server, tmp_path: Path, waits: list[float]) -> None:
    server.answers = [answer(b"", status="403 Forbidden")]
    with pytest.raises(WeightsError):
        download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert (len(server.asked), waits) == (1, [])


def test_a_busy_server_is_waited_for_but_not_for_ever(server: Server, tmp_path: Path, waits: list[float]) -> None:
    server.answers = [
        answer(b"", "Retry-After: 7", status="429 Too Many Requests"),
        answer(b"", "Retry-After: 86400", status="503 Service Unavailable"),
        answer(b"", "Retry-After: soon", status="503 Service Unavailable"),
        answer(FILE),
    ]
    said: list[str] = []
    download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED, say=said.append)
    assert waits == [7, downloads.LONGEST_WAIT, 2]
    assert [re.findall(r"\d+", line) for line in said] == [["7"], [f"{downloads.LONGEST_WAIT:.0f}"]]
    server.answers = [answer(b"", status="429 Too Many Requests")]
    with pytest.raises(WeightsError):
        download(f"{server.address}/f", tmp_path / "g.safetensors", WANTED)
    assert len(server.asked) == 4 + downloads.TRIES


@pytest.mark.parametrize(
    ("said", "least"),
    [
        (None, 0),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 1e6),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Fri, 31 Dec 2100 23:59:59 -0000", 0),
        ("-5", 0),
    ],
)
def test_a_wait_is_seconds_or_a_date(said: str | None, least: float) -> None:
    waited = retry_after(said)
    assert isinstance(waited, float)
    assert waited >= least if least else waited == 0


def test_a_busy_hub_is_waited_for(
    server: Server, row: Published, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = (f'X-Linked-Etag: "{WANTED.sha256}"', f"X-Linked-Size: {len(FILE)}", f"X-Repo-Commit: {'0' * 40}")
    server.answers = [
        answer(b"", "Retry-After: 3", status="429 Too Many Requests"),
        answer(b"", *hub, length=len(FILE)),
        answer(FILE),
    ]
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    said: list[str] = []
    assert fetch(row, say=said.append).read_bytes() == FILE
    assert (waits, len(said)) == ([3], 1)
    assert [found.state for found in verify_all()] == ["good"]


def test_a_server_that_hangs_is_given_up_and_what_came_is_kept(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    server.hangs = True
    server.answers = [
        answer(FILE[:10], 'ETag: "1"', length=len(FILE)),
        answer(
            FILE[10:20], f"Content-Range: bytes 10-{len(FILE) - 1}/{len(FILE)}", 'ETag: "1"', status="206 Partial"
        ).replace(b"Content-Length: 10\r\n", f"Content-Length: {len(FILE) - 10}\r\n".encode()),
        b"HTTP/1.1 ",
    ]
    with pytest.raises(WeightsError):
        download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert [asked.get("Range") for asked in server.asked] == [None, "bytes=10-", "bytes=20-", "bytes=20-"]
    server.answers = [rest(FILE, 20, 'ETag: "1"')]
    download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert (tmp_path / "f.safetensors").read_bytes() == FILE


@pytest.mark.parametrize(("size", "limit"), [(1000, 1 << 40), (0, 300_000)])
def test_a_file_without_an_end_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, limit: int
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", limit)
    server.answers, server.endless = [answer(b"", 'ETag: "1"', length=None)], True
    told: list[int] = []
    with pytest.raises(WeightsError):
        download(f"{server.address}/f", tmp_path / "f", replace(WANTED, size=size), lambda here, _: told.append(here))
    assert max(told, default=0) <= (size or limit)
    assert len(server.asked) == 1
    assert left(tmp_path) == []


def test_no_more_is_taken_than_announced(server: Server, tmp_path: Path) -> None:
    server.answers, server.endless = [answer(FILE)], True
    download(f"{server.address}/f", tmp_path / "f.safetensors", WANTED)
    assert (tmp_path / "f.safetensors").read_bytes() == FILE


def test_another_size_than_published_is_refused_before_it_comes(server: Server, tmp_path: Path) -> None:
    server.answers = [answer(FILE)]
    with pytest.raises(WeightsError):
        download(f"{server.address}/f", tmp_path / "f", replace(WANTED, size=len(FILE) + 1))
    assert left(tmp_path) == []


@pytest.mark.parametrize(("largest", "error"), [(1 << 40, WeightsError), (1 << 63, WriteError)])
def test_more_than_the_disk_holds_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int, error: type[Exception]
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", largest)
    server.answers = [answer(b"", length=1 << 58)]
    with pytest.raises(error):
        download(f"{server.address}/f", tmp_path / "f", WANTED)
    assert left(tmp_path) == []


def test_a_cache_folder_that_cannot_be_written_is_told(
    server: Server, row: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_bytes(b"a file in its place")
    server.answers = [answer(FILE)]
    monkeypatch.setenv("LINNE_MIRROR", server.address)
    with pytest.raises(WriteError) as caught:
        fetch(row)
    assert caught.value.file == str(local_path(row))
    assert "XDG_CACHE_HOME" in str(caught.value.remedy)

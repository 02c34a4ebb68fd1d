"""Do published weights arrive whole: resumed, verified, from mirrors, and not at all where that is wished?"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from small_networks import same_state, small_network

from linne.nets import create
from linne.nets.weights import download as downloads
from linne.nets.weights.download import Expected, download
from linne.nets.weights.fetch import fetch, local_path, verify_all
from linne.nets.weights.published import Published, pick
from linne.records.errors import WeightsError

CONTENT = bytes(range(256)) * 16384  # 4 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WANTED = Expected(DIGEST)
WHOLE = save({"a": torch.arange(1 << 20)})  # what a file of weights looks like


def visible(folder: Path) -> list[str]:
    """Names of its files, without the lock."""
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")]


class Server(ThreadingHTTPServer):
    """Files by path, which breaks a transfer off after `cuts` bytes, one after another."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.sent: dict[str, bytes] = {}
        """Other bytes than those that the digest is told of."""
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path, asked_range = self.path.removeprefix(self.server.address), self.headers.get("Range")
        self.server.asked.append((self.command, path, asked_range))
        if body and self.server.statuses and (status := self.server.statuses.pop(0)) != 200:
            self.send_error(status)
            return
        content = self.server.files.get(path)
        if content is None:
            self.send_error(404)
            return
        first = int(asked_range.removeprefix("bytes=").rstrip("-")) if asked_range else 0
        if first >= len(content):
            self.send_error(416)
            return
        rest = self.server.sent.get(path, content)[first:]
        self.send_response(206 if asked_range else 200)
        if asked_range:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(rest)))
        # What the hub says of a file.
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", '"x"')
        self.end_headers()
        if body:
            self.wfile.write(rest[: self.server.cuts.pop(0)] if self.server.cuts else rest)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, no settings of the user's, and no waiting between tries."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("LINNE_MIRROR", "LINNE_OFFLINE", "HF_ENDPOINT", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    return tmp_path


def test_a_broken_transfer_goes_on_where_it_was(server: Server, here: Path) -> None:
    server.files["/a"], server.cuts = CONTENT, [1_000_000, 2_000_000]
    told: list[tuple[int, int]] = []
    assert download(f"{server.address}/a", here / "a", WANTED, lambda *now: told.append(now)) == DIGEST
    assert (here / "a").read_bytes() == CONTENT
    assert [asked for _, _, asked in server.asked] == [None, "bytes=1000000-", "bytes=3000000-"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [here_ for here_, _ in told] == sorted(here_ for here_, _ in told)
    assert visible(here) == ["a"]


def test_what_an_earlier_run_left_is_used(server: Server, here: Path) -> None:
    server.files["/a"] = CONTENT
    (here / "a.part").write_bytes(CONTENT[:3_000_000])
    download(f"{server.address}/a", here / "a", WANTED)
    assert server.asked == [("GET", "/a", "bytes=3000000-")]
    assert (here / "a").read_bytes() == CONTENT


def test_a_rest_that_is_longer_than_the_file_is_thrown_away(server: Server, here: Path) -> None:
    server.files["/a"] = CONTENT
    (here / "a.part").write_bytes(CONTENT + b"more")
    download(f"{server.address}/a", here / "a", WANTED)
    assert (here / "a").read_bytes() == CONTENT


def test_other_bytes_than_published_are_refused_and_removed(server: Server, here: Path) -> None:
    server.files["/a"] = CONTENT[:-1] + b"!"
    with pytest.raises(WeightsError) as caught:
        download(f"{server.address}/a", here / "a", WANTED)
    assert caught.value.file == f"{server.address}/a"
    assert visible(here) == []


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(server: Server, here: Path) -> None:
    server.files["/a"], server.statuses = CONTENT, [503, 429, 200]
    download(f"{server.address}/a", here / "a", WANTED)
    assert len(server.asked) == 3
    with pytest.raises(WeightsError):
        download(f"{server.address}/b", here / "b", WANTED)
    assert len(server.asked) == 4


def test_no_server_is_told_after_some_tries(here: Path) -> None:
    with pytest.raises(WeightsError):
        download("http://127.0.0.1:9/a", here / "a", Expected())


def test_the_proxy_of_the_environment_is_used(server: Server, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["http://weights.invalid/a"] = CONTENT
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("http_proxy", server.address)
    assert download("http://weights.invalid/a", here / "a", WANTED) == DIGEST


@pytest.fixture
def weights() -> tuple[Published, dict[str, torch.Tensor]]:
    """Weights as timm's hub has them: here the smallest MobileNetV2 in our own naming."""
    state = {key: value.contiguous() for key, value in small_network(1000).state_dict().items()}
    row = replace(pick("mobilenet_v2", "ra_in1k"), network="mobilenet_v2_035")
    return row, state


def test_weights_come_from_the_hub_with_its_digest(
    server: Server, weights: tuple[Published, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, state = weights
    address = f"/{row.source}/resolve/main/{row.file}"
    server.files[address] = save(state)
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    path = fetch(row)
    assert path == local_path(row)
    assert same_state(create("mobilenet_v2_035", weights=path).state_dict(), state)
    assert ("GET", address, None) in server.asked
    asked = len(server.asked)
    assert fetch(row) == path
    assert len(server.asked) == asked, "what is here is not fetched again"
    (found,) = verify_all()
    assert (found.path, found.state) == (path, "good")
    assert found.sha256 == hashlib.sha256(server.files[address]).hexdigest()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert [found.state for found in verify_all()] == ["damaged"]


def test_a_mirror_folder_is_read_in_place(
    here: Path, weights: tuple[Published, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, state = weights
    copy = here / "mirror" / row.path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(save(state))
    monkeypatch.setenv("LINNE_MIRROR", str(here / "mirror"))
    monkeypatch.setenv("LINNE_OFFLINE", "1")
    assert fetch(row) == copy


def test_a_mirror_address_stands_for_every_publisher(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(pick("resnet18", "IMAGENET1K_V1"), file=f"resnet18-{DIGEST[:8]}.pth")
    server.files[f"/mirror/{row.path}"] = CONTENT
    monkeypatch.setenv("LINNE_MIRROR", f"{server.address}/mirror/")
    assert fetch(row).read_bytes() == CONTENT
    server.files[f"/mirror/{row.path}"] = CONTENT[1:]
    local_path(row).unlink()
    with pytest.raises(WeightsError):
        fetch(row)


def test_an_empty_mirror_folder_takes_no_digest_away(
    here: Path, server: Server, weights: tuple[Published, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, _ = weights
    address = f"/{row.source}/resolve/main/{row.file}"
    server.files[address] = CONTENT
    server.sent[address] = CONTENT[1:]
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("LINNE_MIRROR", str(here))
    with pytest.raises(WeightsError):
        fetch(row)
    assert not local_path(row).exists()


@pytest.mark.parametrize("where", ["cache", "mirror"])
def test_what_a_person_put_there_is_compared_with_its_name(
    here: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(pick("resnet18", "IMAGENET1K_V1"), file=f"resnet18-{DIGEST[:8]}.pth")
    monkeypatch.setenv("LINNE_OFFLINE", "1")
    monkeypatch.setenv("LINNE_MIRROR", str(here / "mirror"))
    path = local_path(row) if where == "cache" else here / "mirror" / row.path
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(row) == path
    path.write_bytes(CONTENT[1:])
    with pytest.raises(WeightsError):
        fetch(row)


def test_files_of_a_mirror_without_digests_are_verified_as_they_came(
    server: Server, weights: tuple[Published, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, _ = weights
    server.files[f"/{row.path}"] = WHOLE
    monkeypatch.setenv("LINNE_MIRROR", server.address)
    path = fetch(row)
    assert [found.state for found in verify_all()] == ["unchanged"]
    path.write_bytes(WHOLE[:-1] + b"!")
    assert [found.state for found in verify_all()] == ["damaged"]


def test_files_of_timm_networks_outside_the_catalogue_are_verified_too(here: Path) -> None:
    row = pick("timm:regnety_002", "pycls_in1k")
    for path in (local_path(row), local_path(row).parents[1] / "mine" / "model.safetensors"):
        path.parent.mkdir(parents=True)
        path.write_bytes(WHOLE)
    found = {verified.path: verified for verified in verify_all()}
    assert {verified.state for verified in found.values()} == {"unknown"}
    assert [verified.weights and verified.weights.network for verified in found.values()].count(None) == 1


def test_processes_take_turns(here: Path, server: Server) -> None:
    server.files["/a"] = CONTENT
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(download(f"{server.address}/a", here / "a", WANTED)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DIGEST] * 4
    assert [method for method, _, _ in server.asked] == ["GET"], "the others take what the first has fetched"


def test_offline_says_what_to_fetch_and_where_to_put_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNE_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    with pytest.raises(WeightsError) as caught:
        create("resnet18", weights="a1_in1k")
    row = pick("resnet18", "a1_in1k")
    assert f"{server.address}/{row.source}/resolve/main/{row.file}" in str(caught.value.remedy)
    assert str(local_path(row)) in str(caught.value.remedy)
    assert server.asked == []


def test_an_endpoint_without_an_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError) as caught:
        create("resnet18", weights="a1_in1k")
    assert str(local_path(pick("resnet18", "a1_in1k"))) in str(caught.value.remedy)


def test_published_weights_bring_their_preprocessing(
    here: Path, weights: tuple[Published, dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from linne.nets.weights.locate import Located

    row, state = weights
    file = here / "w.safetensors"
    file.write_bytes(save(state))
    assert Located(file, row).read("mobilenet_v2_035").pixels == row.pixels
    assert Located(file, None).read("mobilenet_v2_035").pixels is None

"""``linne weights``: listed, fetched from mirrors, verified."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from cli.conftest import Call
from safetensors.torch import save

from linne.nets.weights.published import every_published, pick, published

CONTENT = save({"a": torch.arange(8)})


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the user's, and no download."""
    for name in ("LINNE_MIRROR", "HF_ENDPOINT", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("LINNE_OFFLINE", "1")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A folder with one file, laid out as the cache; timm's names say nothing of what is in the file."""
    copy = tmp_path / "mirror" / pick("mobilenet_v2", "ra_in1k").path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    return tmp_path / "mirror"


@pytest.fixture
def address(mirror: Path) -> Iterator[str]:
    """The same behind HTTP."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(mirror)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_weights_of_one_network(call: Call, tmp_path: Path) -> None:
    rows = json.loads(call("weights", "list", "convnext_tiny", "--json", folder=tmp_path).stdout)
    expected = published("convnext_tiny")
    assert [(row["tag"], row["top1"], row["licence"], row["file"]) for row in rows] == [
        (row.tag, row.top1, row.licence, row.file) for row in expected
    ]
    assert {row["network"] for row in rows} == {"convnext_tiny"}
    assert rows[0]["pixels"]["height"] == expected[0].pixels.height
    plain = call("weights", "list", "convnext_tiny", folder=tmp_path)
    assert plain.returncode == 0
    words = [line.split() for line in plain.stdout.splitlines()]
    for row in expected:
        assert any({row.network, row.tag, str(row.classes)} <= set(line) for line in words)


def test_all_weights(call: Call, tmp_path: Path) -> None:
    rows = json.loads(call("weights", "list", "--json", folder=tmp_path).stdout)
    assert [(row["network"], row["tag"], row["project"]) for row in rows] == [
        (row.network, row.tag, row.project) for row in every_published()
    ]
    assert len(call("weights", "list", folder=tmp_path).stdout.splitlines()) > len(rows)


def test_odd_files_are_told_and_the_others_verified(call: Call, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "linne" / "weights"
    fine, folder, dangling, page = (
        cache / "timm" / "x" / name for name in ("a.safetensors", "x.pth", "y.pth", "z.bin")
    )
    recorded = cache / "timm" / "resnet18.no_such_tag" / "model.safetensors"
    recorded.parent.mkdir(parents=True)
    folder.mkdir(parents=True)
    dangling.symlink_to(cache / "nowhere")
    pipe = cache / "timm" / "x" / "p.pth"
    os.mkfifo(pipe)  # a reader would wait for a writer
    for path, content in ((fine, CONTENT), (page, b"<html>sign in</html>"), (recorded, CONTENT)):
        path.write_bytes(content)
    for broken in (b"{", b"[]", b'{"sha256": "", "published": ""}', b"[" * 100_000):
        recorded.with_name("model.safetensors.json").write_bytes(broken)
        done = call("weights", "verify", "--json", folder=tmp_path)
        assert done.returncode == 1
        said, _ = json.JSONDecoder().raw_decode(done.stdout)
        states = {file["path"]: (file["state"], bool(file["reason"])) for file in said}
        assert states.pop(str(fine)) == ("unknown", False)
        assert states == dict.fromkeys(map(str, (folder, dangling, pipe, page, recorded)), ("damaged", True))
    done = call("weights", "verify", folder=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()[:-1]].count("damaged") == 5
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LINNE_MIRROR", "http://[::1"),
        ("LINNE_MIRROR", "://"),
        ("LINNE_MIRROR", "http://127.0.0.1:1/\u00e9"),
        ("LINNE_MIRROR", "http://127.0.0.1:x/"),
        ("LINNE_MIRROR", f"http://{'a' * 64}.org"),
        ("LINNE_MIRROR", "http:///weights"),
        ("LINNE_MIRROR", "http://127.0.0.1:1/a b"),
        ("LINNE_MIRROR", "~nouser/x"),
        ("HF_ENDPOINT", "http://[::1"),
        ("HF_ENDPOINT", "127.0.0.1"),
    ],
)
def test_a_setting_that_names_no_place_is_told(
    setting: str, value: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(setting, value)
    monkeypatch.delenv("LINNE_OFFLINE")
    done = call("weights", "fetch", "mobilenet_v2", "ra_in1k", "--json", folder=tmp_path)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["value"] == value
    assert setting in error["problem"]
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["list", "fetch"])
def test_an_unknown_network_fails_with_a_suggestion(command: str, call: Call, tmp_path: Path) -> None:
    done = call("weights", command, "resnet_50", "--json", folder=tmp_path)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["value"] == "resnet_50"
    assert "resnet50" in error["remedy"]


def test_an_unknown_tag_fails_and_lists_the_known(call: Call, tmp_path: Path) -> None:
    done = call("weights", "fetch", "mobilenet_v2", "a2", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert "ra_in1k" in json.loads(done.stdout)["error"]["remedy"]


def test_a_mirror_folder_is_read_in_place(
    call: Call, mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = pick("mobilenet_v2", "ra_in1k")
    monkeypatch.setenv("LINNE_MIRROR", str(mirror))
    assert call("weights", "fetch", "mobilenet_v2", "ra_in1k", folder=tmp_path).stdout == f"{mirror / row.path}\n"
    said = json.loads(call("weights", "fetch", "mobilenet_v2", "ra_in1k", "--json", folder=tmp_path).stdout)
    assert (said["path"], said["licence"]) == (str(mirror / row.path), row.licence)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_offline_tells_where_to_put_the_file(call: Call, tmp_path: Path) -> None:
    done = call("weights", "fetch", "mobilenet_v2", "--json", folder=tmp_path)
    assert done.returncode == 1
    place = tmp_path / "cache" / "linne" / "weights" / pick("mobilenet_v2", "imagenet").path
    assert str(place) in json.loads(done.stdout)["error"]["remedy"]
    assert not place.exists()


def test_an_empty_cache_is_good(call: Call, tmp_path: Path) -> None:
    assert call("weights", "verify", folder=tmp_path).returncode == 0
    done = call("weights", "verify", "--json", folder=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_what_was_fetched_is_verified(
    call: Call, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LINNE_MIRROR", address)
    monkeypatch.delenv("LINNE_OFFLINE")
    path = Path(call("weights", "fetch", "mobilenet_v2", "ra_in1k", folder=tmp_path).stdout.rstrip("\n"))
    assert path == tmp_path / "cache" / "linne" / "weights" / pick("mobilenet_v2", "ra_in1k").path
    assert path.read_bytes() == CONTENT

    done = call("weights", "verify", "--json", folder=tmp_path)
    (said,) = json.loads(done.stdout)
    assert done.returncode == 0
    assert (said["network"], said["path"]) == ("mobilenet_v2", str(path))
    assert said["state"] not in ("damaged", "unknown")
    assert said["state"] in call("weights", "verify", folder=tmp_path).stdout.split()

    path.write_bytes(CONTENT[:-1] + b"!")
    done = call("weights", "verify", folder=tmp_path)
    assert done.returncode == 1
    assert f"damaged {path}" in " ".join(done.stdout.split())
    assert str(path) in done.stderr


def test_files_that_a_person_put_there(call: Call, tmp_path: Path) -> None:
    """torchvision's names tell the digest, timm's do not."""
    cache = tmp_path / "cache" / "linne" / "weights"
    wrong, unknown = (cache / pick(*wanted).path for wanted in (("resnet18", "IMAGENET1K_V1"), ("resnet18", "a1_in1k")))
    for path in (wrong, unknown):
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
    done = call("weights", "verify", "--json", folder=tmp_path)
    assert done.returncode == 1
    said, _ = json.JSONDecoder().raw_decode(done.stdout)  # what follows it tells the error
    states = {file["path"]: file["state"] for file in said}
    assert states == {str(wrong): "damaged", str(unknown): "unknown"}
    wrong.unlink()
    assert call("weights", "verify", folder=tmp_path).returncode == 0

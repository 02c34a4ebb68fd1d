from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import LABELS, SPEC, TEMPERATURE, Made, encoded, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from linne.records.errors import LinneError
from linne.serve.app import create_app
from linne.serve.body import MAX_FILES
from linne.serve.predictor import Predictor, load
from linne.serve.server import serve

LIMIT = 100_000
PNG = encoded(picture(1))
CUT_JPEG = encoded(picture(2, 300, 200), "JPEG")[:900]


@pytest.fixture(scope="module")
def predictor(made: Made) -> Predictor:
    return load(made.folder)


@pytest.fixture(scope="module")
def client(predictor: Predictor) -> TestClient:
    return client_of(predictor)


def client_of(predictor: Predictor, **options: object) -> TestClient:
    app = create_app(predictor, max_body=LIMIT, **options)
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


def is_error(answer: httpx.Response, status: int) -> bool:
    """Whether the answer has the one form that errors have."""
    value = answer.json()
    texts = [value["error"], value["remedy"]]
    return answer.status_code == status and all(isinstance(t, str) and "\n" not in t for t in texts)


def test_health_and_model(client: TestClient, predictor: Predictor) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/model").json() == {
        "task": "single",
        "labels": list(LABELS),
        "network": "linear",
        "pixels": SPEC.to_json(),
        "temperature": TEMPERATURE,
        "fingerprint": predictor.bundle.fingerprint,
        "parity": {
            "images": 4,
            "largest_logit_error": 0.001,
            "largest_probability_error": 0.0005,
            "top1_agreement": 1.0,
        },
    }
    assert "/predict" in client.get("/openapi.json").json()["paths"]


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded", None]
)
def test_a_raw_body_is_one_image(client: TestClient, predictor: Predictor, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = client.post("/predict", content=PNG, headers=headers)
    expected = predictor.predict_bytes(PNG)
    assert answer.status_code == 200
    value = answer.json()
    assert value["file"] == "image"
    assert value["label"] == expected.label
    assert value["probability"] == pytest.approx(expected.probability, abs=1e-6)
    assert value["probabilities"] == pytest.approx(expected.probabilities, abs=1e-6)
    assert list(value["probabilities"]) == list(expected.probabilities or {})
    assert sum(value["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_a_raw_body_may_have_a_name(client: TestClient) -> None:
    answer = client.post("/predict", params={"file": "é <b>.png"}, content=PNG)
    assert answer.json()["file"] == "é <b>.png"
    assert client.post("/predict?file=", content=PNG).json()["file"] == "image"


def test_a_form_gets_an_answer_a_file(client: TestClient) -> None:
    alone = client.post("/predict", params={"file": "é.png"}, content=PNG).json()
    files = [
        ("image", ("é.png", PNG, "image/png")),
        ("other", ("text.png", b"no picture", "image/png")),
        ("image", ("cut.jpg", CUT_JPEG, "image/jpeg")),
    ]
    answer = client.post("/predict", files=files, data={"note": "not a file"})
    assert answer.status_code == 200
    first, text, cut = answer.json()["predictions"]
    assert first == alone
    assert set(text) == set(cut) == {"file", "error"}
    assert (text["file"], cut["file"]) == ("text.png", "cut.jpg")


def test_a_form_without_any_image(client: TestClient) -> None:
    answer = client.post("/predict", files=[("a", ("a.png", b"?")), ("b", ("b.jpg", CUT_JPEG))])
    assert is_error(answer, 400)
    assert [each["file"] for each in answer.json()["predictions"]] == ["a.png", "b.jpg"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b\r\n\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no form"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b; charset=undefined",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
        ),
    ],
)
def test_forms_without_a_file_or_malformed(client: TestClient, content_type: str, body: bytes) -> None:
    assert is_error(client.post("/predict", content=body, headers={"content-type": content_type}), 400)


def test_a_file_name_of_half_a_surrogate_pair(client: TestClient) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="a"; filename="+2AA-.png"\r\n\r\n' + PNG + b"\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b; charset=utf-7"}
    answer = client.post("/predict", content=part, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["predictions"][0]["file"] == "?.png"


@pytest.mark.parametrize("body", [b"", b"no picture", CUT_JPEG, b"<!doctype html>", PNG[:50]])
def test_a_raw_body_that_is_no_image(client: TestClient, body: bytes) -> None:
    assert is_error(client.post("/predict", content=body), 400)


def test_modes_are_served(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    images = [
        encoded(picture(5), "JPEG", exif=exif),
        encoded(picture(5).convert("L")),
        encoded(picture(5).convert("CMYK"), "JPEG"),
        encoded(picture(5).convert("RGBA")),
        encoded(picture(5).convert("L").convert("I;16")),
        encoded(picture(5).convert("P"), "GIF"),
        encoded(picture(5), "WEBP"),
    ]
    for content in images:
        assert client.post("/predict", content=content).status_code == 200


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=b"])
def test_too_large_is_refused(predictor: Predictor, client: TestClient, content_type: str) -> None:
    headers = {"content-type": content_type}
    assert is_error(client.post("/predict", content=bytes(LIMIT + 1), headers=headers), 413)

    # Without a Content-Length the body is counted as it comes, and left at the limit.
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
        while sent < 10 * LIMIT:
            sent += 1000
            yield bytes(1000)

    async def stream() -> httpx.Response:
        # Starlette's test client would read the whole body before it sends any.
        transport = httpx.ASGITransport(create_app(predictor, max_body=LIMIT))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as streaming:
            return await streaming.post("/predict", content=chunks(), headers=headers)

    assert is_error(asyncio.run(stream()), 413)
    assert sent < LIMIT + 3000


def test_a_body_of_just_the_limit_is_read(client: TestClient) -> None:
    # PNG readers stop at the end of the picture, so that zeros may follow it.
    assert client.post("/predict", content=PNG.ljust(LIMIT, b"\0")).status_code == 200


def test_too_many_parts_are_refused(client: TestClient) -> None:
    files = [("image", (f"{i}.png", PNG)) for i in range(MAX_FILES + 1)]
    assert is_error(client.post("/predict", files=files), 400)
    assert len(client.post("/predict", files=files[1:]).json()["predictions"]) == MAX_FILES


def test_unknown_routes_and_methods(client: TestClient) -> None:
    assert is_error(client.get("/absent"), 404)
    assert is_error(client.get("/docs"), 404)
    assert is_error(client.post("/predict/", content=PNG), 404)
    wrong = client.get("/predict")
    assert is_error(wrong, 405)
    assert wrong.headers["allow"] == "POST"
    assert is_error(client.options("/predict"), 405)


def test_the_unexpected_is_a_500_without_a_traceback(fresh: Callable[..., Made]) -> None:
    # The model takes 8 x 8 pixels and the manifest says 9 x 9, which ONNX Runtime finds out when it runs.
    answer = client_of(load(fresh(replace(SPEC, height=9, width=9)).folder)).post("/predict", content=PNG)
    assert is_error(answer, 500)
    assert set(answer.json()) == {"error", "remedy"}
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "", "[", "192.0.2.7"])
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    assert is_error(client.get("/", headers={"host": host}), 403)
    assert is_error(client.post("/predict", content=PNG, headers={"host": host}), 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "[::1]:8000", "127.0.0.1:1"])
def test_names_of_this_machine_are_served(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_any_host_name_where_all_are_allowed(predictor: Predictor) -> None:
    client = client_of(predictor, hosts=None)
    assert client.get("/healthz", headers={"host": "photos.example"}).status_code == 200
    headers = {"host": "photos.example", "origin": "http://evil.example"}
    assert is_error(client.post("/predict", content=PNG, headers=headers), 403)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "http://127.0.0.1"])
def test_posts_of_another_origin_are_refused(client: TestClient, origin: str) -> None:
    assert is_error(client.post("/predict", content=PNG, headers={"origin": origin}), 403)


def test_a_post_of_the_page_itself(client: TestClient) -> None:
    answer = client.post("/predict", content=PNG, headers={"origin": "http://127.0.0.1:8000"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_the_page_is_closed(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    nonces = set(re.findall(r'nonce="([^"]*)"', answer.text))
    assert answer.headers["content-type"].startswith("text/html")
    assert len(nonces) == 1
    assert policy.count(f"'nonce-{nonces.pop()}'") == 2
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]|@import|url\(", answer.text)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\bon[a-z]+=", answer.text)
    assert client.get("/").headers["content-security-policy"] != policy


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.builds(lambda i, b: PNG[:i] + b + PNG[i + len(b) :], st.integers(0, len(PNG)), st.binary(max_size=8)),
        st.binary(max_size=200).map(lambda b: b'--b\r\nContent-Disposition: form-data; name="a"' + b + b"\r\n--b--"),
    ),
    content_type=st.sampled_from(
        [
            "image/png",
            "multipart/form-data; boundary=b",
            "multipart/form-data; boundary=b; charset=idna",
            "é;=\x7f",
        ]
    ),
)
def test_no_bytes_make_the_server_fail(client: TestClient, body: bytes, content_type: str) -> None:
    headers = {"content-type": content_type.encode("latin-1")}
    answer = client.post("/predict", content=body, headers=headers)
    assert answer.status_code in (200, 400)
    assert isinstance(answer.json(), dict)


def test_a_real_server_from_start_to_ctrl_c(made: Made, predictor: Predictor) -> None:
    code = (
        "import sys; from pathlib import Path; from linne.serve.server import serve\n"
        "serve(Path(sys.argv[1]), port=0, on_ready=lambda url: print(url, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(made.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            url = process.stdout.readline().strip()
            address = (urlsplit(url).hostname, urlsplit(url).port)
            assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
            answer = httpx.post(f"{url}/predict", content=PNG).json()
            assert answer["probabilities"] == pytest.approx(predictor.predict_bytes(PNG).probabilities, abs=1e-6)

            # Declared too large: refused before a byte of the body is sent.
            connection = http.client.HTTPConnection(*address, timeout=10)
            connection.putrequest("POST", "/predict")
            connection.putheader("Content-Length", str(10**12))
            connection.endheaders()
            refused = connection.getresponse()
            assert refused.status == 413
            assert set(json.load(refused)) == {"error", "remedy"}
            connection.close()

            # An upload that breaks off leaves no traceback in the log.
            with socket.create_connection(address) as broken:
                broken.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc")
            assert httpx.get(f"{url}/healthz").status_code == 200

            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_what_cannot_be_listened_on(made: Made) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinneError) as caught:
            serve(made.folder, port=port)
    assert caught.value.value == port
    assert "--port 0" in (caught.value.remedy or "")
    with pytest.raises(LinneError) as caught:
        serve(made.folder, port=65536)
    assert caught.value.value == 65536
    for host in ("192.0.2.1", "no such host", "a" * 64):
        with pytest.raises(LinneError) as caught:
            serve(made.folder, host=host, port=0)
        assert caught.value.value == host


def test_a_missing_bundle_is_no_server(tmp_path: Path) -> None:
    with pytest.raises(LinneError) as caught:
        serve(tmp_path / "absent", port=0)
    assert caught.value.file == str(tmp_path / "absent")

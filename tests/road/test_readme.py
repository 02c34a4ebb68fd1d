"""The README's blocks, run as they stand there, in a folder with a few photos."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from walked import environment, write_digits

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    """The one code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


def in_shell(script: str, folder: Path, **options: object) -> subprocess.Popen[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "-ec", script], cwd=folder, env={**environment(folder), "PATH": path}, text=True, **options
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `photos` in it, after the commands of the first block."""
    folder = tmp_path_factory.mktemp("home")
    write_digits(folder / "photos", a_class=12, classes=2)
    for digit, name in (("0", "cat"), ("1", "dog")):
        (folder / "photos" / digit).rename(folder / "photos" / name)
    first = min((folder / "photos" / "cat").iterdir())
    first.rename(first.with_name("1.jpg"))
    assert in_shell(block("sh"), folder).wait(timeout=300) == 0
    return folder


def test_the_commands_leave_what_they_promise(home: Path) -> None:
    run = home / "runs" / "photos-1"
    expected = ("report.html", "evaluation.json", "bundle/model.onnx", "bundle/bundle.json")
    assert all((run / name).is_file() for name in expected)


def test_the_server_shows_its_page_and_predicts(home: Path) -> None:
    command = block("sh serve").split("#")[0].strip()
    server = in_shell(f"exec {command} --port 0", home, stdout=subprocess.PIPE)
    try:
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))  # type: ignore[union-attr]
        assert httpx.get(url).headers["content-type"].startswith("text/html")
        answer = httpx.post(f"{url}/predict", content=next((home / "photos" / "dog").iterdir()).read_bytes())
        assert answer.json()["label"] in ("cat", "dog")
    finally:
        server.terminate()
        server.wait(timeout=30)
        server.stdout.close()  # type: ignore[union-attr]


def test_the_python_runs(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block("python")], cwd=home, env=environment(home), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    accuracy, label = done.stdout.splitlines()
    assert re.fullmatch(r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", accuracy)
    assert label in ("cat", "dog")

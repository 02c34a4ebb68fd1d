"""The command line as a user meets it: results on standard output, one line for an error, honest exit statuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import Call
from full_disk import on_full_disk
from PIL import Image
from walked import environment, linne, state_of, write_digits


@pytest.fixture
def run(walked: Path, tmp_path: Path) -> Path:
    shutil.copytree(walked, tmp_path / "run")
    return tmp_path / "run"


def only_line(text: str) -> str:
    """The one line that an error prints after the progress; a traceback would be many."""
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if line.startswith("linne: ")]
    assert len(lines) == 1
    assert lines[0] == text.splitlines()[-1]
    return lines[0]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["-h"]])
def test_the_first_screen_imports_nothing_that_takes_time(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['linne', *{arguments}]\n"
        "from linne.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'typer', 'rich', 'numpy', 'torch', 'typing', 're'} & set(sys.modules) - before\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; before = set(sys.modules)\n{code}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", ["fit", "audit", "review", "evaluate", "predict", "serve", "nets"])
def test_every_command_tells_how_it_is_used(command: str, tmp_path: Path) -> None:
    done = linne(command, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert f"linne {command}" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fitt"],
        ["fit"],
        ["fit", "photos", "--seed", "-1"],
        ["fit", "photos", "--nonsense"],
        ["predict", "bundle"],
        ["serve", "bundle", "--port", "70000"],
        ["audit", "photos", "--show", "many"],
        ["fit", ""],
        ["audit", "photos", "--seed", "4294967296"],
        ["audit", "photos", "--out", ""],
        ["evaluate", ""],
        ["predict", "bundle", ""],
        ["fit", "photos", "--weights", ""],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], call: Call, tmp_path: Path) -> None:
    done = call(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "nowhere"],
        ["fit", "empty"],
        ["fit", "one"],
        ["fit", "loose"],
        ["fit", "rotten"],
        ["fit", "two", "--budget", "1s"],
        ["fit", "two", "--budget", "soon"],
        ["fit", "two", "--network", "resnet9000"],
        ["fit", "two", "--weights", "gone.safetensors"],
        ["fit", "two", "--weights", "two/a/0.png"],
        ["fit", "two", "--weights", "weights.pth"],
        ["fit", "two", "--group-by", "("],
        ["audit", "nowhere"],
        ["audit", "two", "--out", "two/a/0.png"],
        ["audit", "two", "--out", "."],
        ["audit", "two", "--apply"],
        ["audit", "two", "--export-csv", "two/a/0.png"],
        ["review", "nowhere"],
        ["review", "two"],
        ["evaluate", "nowhere"],
        ["evaluate", "two"],
        ["predict", "nowhere", "two/a/0.png"],
        ["predict", "two", "two/a/0.png"],
        ["serve", "nowhere"],
    ],
)
def test_a_failure_is_one_line_and_exits_with_1(arguments: list[str], call: Call, tmp_path: Path) -> None:
    for name in ("two/a/0.png", "two/a/1.png", "two/b/0.png", "one/a/0.png", "loose/0.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 9), len(name)).save(path)
    for name in ("rotten/a/0.png", "rotten/b/0.png", "weights.pth"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<html>not found</html>")
    (tmp_path / "empty").mkdir()
    done = call(*arguments, folder=tmp_path)
    assert done.returncode == 1
    only_line(done.stderr)
    assert not list(tmp_path.glob("runs/*"))


def test_with_json_an_error_is_json_too(call: Call, tmp_path: Path) -> None:
    done = call("audit", "nowhere", "--json", folder=tmp_path)
    error = json.loads(done.stdout)["error"]
    assert error["file"] == "nowhere"
    assert error["problem"]
    assert error["remedy"]


def test_predict_answers_for_files_and_folders(run: Path, digits: Path, tmp_path: Path) -> None:
    one = next((digits / "3").iterdir())
    done = linne("predict", run / "bundle", one, digits / "7", "--json", folder=tmp_path)
    answers = json.loads(done.stdout)
    assert done.returncode == 0
    assert [answers[0]["path"], len(answers)] == [str(one), 1 + len(list((digits / "7").iterdir()))]
    assert all(sum(answer["probabilities"].values()) == pytest.approx(1) for answer in answers)
    plain = linne("predict", run / "bundle", one, folder=tmp_path)
    assert plain.stdout.split()[1] == answers[0]["label"]


def test_predict_tells_of_what_it_cannot_use_and_answers_the_rest(run: Path, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff rubbish")
    one = next((digits / "3").iterdir())
    done = linne("predict", run / "bundle", "bad.jpg", one, "gone.png", "--json", folder=tmp_path)
    answers = json.loads(done.stdout)
    assert done.returncode == 1
    assert [bool(answer["error"]) for answer in answers] == [True, False, True]


def test_predict_tells_of_what_folders_hold_besides(run: Path, digits: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "more" / "below").mkdir(parents=True)
    shutil.copy(next((digits / "3").iterdir()), tmp_path / "more" / "three.png")
    (tmp_path / "more" / "empty.jpg").write_bytes(b"")
    (tmp_path / "more" / "notes.txt").write_text("no image, and none by its name")
    (tmp_path / "more" / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "none").mkdir()
    done = call("predict", run / "bundle", "more", "none", "--json", folder=tmp_path)
    answers = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(answer["path"], bool(answer["error"])) for answer in answers] == [
        ("more/empty.jpg", True),
        ("more/three.png", False),
        ("more/gone.png", True),
        ("none", True),
    ]


def test_predicting_imports_no_torch(run: Path, digits: Path, tmp_path: Path) -> None:
    one = str(next((digits / "3").iterdir()))
    code = (
        "import sys\nfrom linne.cli.dispatch import run_command\n"
        f"assert run_command('predict', [{str(run / 'bundle')!r}, {one!r}]) == 0\n"
        "import linne.cli.serve, linne.serve.server\n"
        "heavy = {'torch', 'torchvision', 'pyarrow', 'sklearn', 'scipy', 'cleanlab', 'jinja2', 'onnx', 'safetensors'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_evaluate_prints_and_gives_json(run: Path, call: Call, tmp_path: Path) -> None:
    plain = call("evaluate", run, folder=tmp_path)
    assert plain.returncode == 0
    assert "accuracy" in plain.stdout
    as_json = json.loads(call("evaluate", run, "--json", folder=tmp_path).stdout)
    assert as_json == {k: v for k, v in json.loads((run / "evaluation.json").read_text()).items() if k != "seal"}
    assert len(json.loads((run / "run.json").read_text())["openings"]) == 2


def test_audit_keeps_its_findings(digits: Path, call: Call, tmp_path: Path) -> None:
    copy = tmp_path / "photos"
    shutil.copytree(digits, copy)
    shutil.copy(next((copy / "1").iterdir()), copy / "2" / "same.png")
    done = call("audit", "photos", "--json", folder=tmp_path)
    said = json.loads(done.stdout)
    assert done.returncode == 0
    assert said["counts"]["exact duplicate"] == 1
    assert (tmp_path / said["folder"] / "findings.parquet").is_file()
    noise = said["label_noise"]
    assert noise is None or 0 <= noise["low"] <= noise["share"] <= noise["high"] <= 1
    assert (tmp_path / said["report"]).is_file()
    first = said["first"][0]
    assert first["findings"] == said["counts"][first["check"]]
    printed = call("audit", "photos", folder=tmp_path).stdout
    assert "exact duplicate" in printed
    assert ("of the labels look wrong" in printed) == (noise is not None)
    assert f"1. {first['check']} ({first['findings']}, gain {first['gain']:.1%}): {first['remedy']}" in printed


def test_a_full_disk_is_told_of_and_the_old_file_stands(digits: Path, call: Call, tmp_path: Path) -> None:
    assert call("audit", digits, "--out", "kept", folder=tmp_path).returncode == 0
    before = state_of(tmp_path / "kept")

    done = linne("audit", digits, "--out", "kept", folder=tmp_path, preexec_fn=on_full_disk(1000))
    assert done.returncode == 1
    assert "kept/" in only_line(done.stderr)
    assert state_of(tmp_path / "kept") == before


@pytest.mark.slow
def test_a_disk_that_is_full_of_embeddings_keeps_those_from_before(
    digits: Path, lenet_weights: Path, call: Call, tmp_path: Path
) -> None:
    for label in "012":
        shutil.copytree(digits / label, tmp_path / "some" / label)
    how = ("--network", "lenet5", "--weights", lenet_weights, "--out", "features.npy", "--json")
    full = on_full_disk(60_000)  # room for the embeddings of 96 images, not for those of 224
    assert linne("embed", "some", *how, folder=tmp_path, preexec_fn=full).returncode == 0
    before, store = (tmp_path / "features.npy").read_bytes(), state_of(tmp_path / "cache" / "linne")
    done = linne("embed", digits, *how, folder=tmp_path, preexec_fn=full)
    assert done.returncode == 1
    assert "could not be written" in only_line(done.stderr)
    assert json.loads(done.stdout)["error"]["remedy"].startswith("free some space")
    assert (tmp_path / "features.npy").read_bytes() == before
    assert state_of(tmp_path / "cache" / "linne") == store
    done = call("embed", digits, *how, folder=tmp_path)
    assert json.loads(done.stdout)["computed"] == 224


@pytest.mark.slow
def test_a_disk_that_is_full_of_decoded_images_is_told_of_and_the_run_goes_on(tmp_path: Path) -> None:
    photos = write_digits(tmp_path / "photos", 150)
    full = on_full_disk(800_000)  # room for the network, not for the decoded images
    done = linne("fit", photos, "--network", "lenet5", "--budget", "60s", folder=tmp_path, preexec_fn=full)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("pixel cache: ")]
    assert told == ["pixel cache: File too large; some images are decoded anew in each epoch"]
    kept = next(tmp_path.rglob("*.pixels"))
    assert 0 < kept.stat().st_size <= 800_000


def test_names_that_would_fool_a_terminal_or_markup(
    digits: Path, lenet_weights: Path, call: Call, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    for label, name in (("0", "[red]zero\\"), ("1", "one\x1b[31m"), ("2", "zwei ü 二 🖋")):
        shutil.copytree(digits / label, photos / name)
    done = call("fit", photos, "--weights", lenet_weights, "--budget", "30s", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    done = call("evaluate", "runs/photos-1", folder=tmp_path)
    assert "\x1b[31m" not in done.stdout + done.stderr
    assert "[red]zero\\" in done.stdout
    done = call("predict", "runs/photos-1/bundle", photos, folder=tmp_path)
    assert len(done.stdout.splitlines()) == 96
    assert "\x1b[31m" not in done.stdout + done.stderr


def test_no_photo_is_overwritten_with_findings(call: Call, digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path / "photos")
    before = state_of(tmp_path / "photos")
    photo = next((tmp_path / "photos" / "3").iterdir())
    assert call("audit", "photos", "--out", photo, folder=tmp_path).returncode == 1
    assert state_of(tmp_path / "photos") == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_a_redirection_is_one_line(run: Path, digits: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m linne predict {run / 'bundle'} {digits / '3'} > /dev/full"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True)
    assert done.returncode == 1
    only_line(done.stderr)


def test_a_closed_pipe_ends_quietly(run: Path, digits: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m linne predict {run / 'bundle'} {digits} | head -1"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_networks_are_listed(tmp_path: Path) -> None:
    rows = json.loads(linne("nets", "--json", folder=tmp_path).stdout)
    assert {row["name"] for row in rows} >= {"lenet5", "mobilenet_v2"}
    assert "lenet5" in linne("nets", folder=tmp_path).stdout

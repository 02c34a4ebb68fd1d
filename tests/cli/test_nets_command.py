"""``linne nets``: filters, the table, and which accuracy stands beside the multiply-adds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from cli.conftest import Call

from linne.cli.numbers import a_number, accuracy, short
from linne.nets.catalogue import CATALOGUE, Entry
from linne.nets.weights.published import published


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        (["--max-params", "600k"], lambda name, row: row.parameters <= 600_000),
        (["--max-params", "6M"], lambda name, row: row.parameters <= 6_000_000),
        (["--max-macs", "1.5G"], lambda name, row: row.gmacs <= 1.5),
        (["--max-macs", "57e6"], lambda name, row: row.gmacs <= 0.057),
        (["--family", "MobileNet-V3"], lambda name, row: row.family == "mobilenet_v3"),
        (["--family", "Wide ResNet"], lambda name, row: name.startswith("wide_resnet")),
        (["--weights"], lambda name, row: bool(published(name))),
        (["--licence", "MIT"], lambda name, row: "mit" in {w.licence for w in published(name)}),
        (["--family", "resnet", "--weights", "--max-params", "12M"], lambda name, row: name == "resnet18"),
    ],
)
def test_filters(filters: list[str], keeps: Callable[[str, Entry], bool], call: Call, tmp_path: Path) -> None:
    done = call("nets", *filters, "--json", folder=tmp_path)
    assert done.returncode == 0
    found = [row["name"] for row in json.loads(done.stdout)]
    assert found == [name for name, row in CATALOGUE.items() if keeps(name, row)]
    assert 0 < len(found) < len(CATALOGUE)


def test_nothing_found_is_no_failure(call: Call, tmp_path: Path) -> None:
    done = call("nets", "--max-params", "1", "--json", folder=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert call("nets", "--max-params", "1", folder=tmp_path).returncode == 0


@pytest.mark.parametrize("option", ["--max-params", "--max-macs"])
@pytest.mark.parametrize("rubbish", ["", "M", "many", "-3", "6 T", "1,5G", "nan", "0x10"])
def test_what_is_no_number_is_wrong_usage(option: str, rubbish: str, call: Call, tmp_path: Path) -> None:
    done = call("nets", option, rubbish, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_licence_in_any_case_chooses_the_weights_that_are_shown(call: Call, tmp_path: Path) -> None:
    rows, same = (
        json.loads(call("nets", "--licence", licence, "--json", folder=tmp_path).stdout)
        for licence in ("Apache-2.0", "apache-2.0")
    )
    assert rows == same
    assert {row["weights"]["licence"] for row in rows} == {"apache-2.0"}
    assert "resnet50" in {row["name"] for row in rows}


def test_an_unknown_licence_fails_and_lists_the_known(call: Call, tmp_path: Path) -> None:
    done = call("nets", "--licence", "wtfpl", "--json", folder=tmp_path)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["value"] == "wtfpl"
    assert "apache-2.0" in error["remedy"]


def test_accuracy_was_measured_at_the_size_of_the_multiply_adds_where_it_could(call: Call, tmp_path: Path) -> None:
    rows = {row["name"]: row for row in json.loads(call("nets", "--json", folder=tmp_path).stdout)}
    elsewhere = []
    for name, row in rows.items():
        best, side = row["weights"], CATALOGUE[name].pixels.height
        if best is None or best["top1"] is None:
            assert best is None or best["top1_pixels"] is None
            continue
        measured = {(w.tag, w.top1, w.pixels.height) for w in published(name) if w.top1 is not None}
        assert (best["tag"], best["top1"], best["top1_pixels"]) in measured
        if best["top1_pixels"] != side:
            assert side not in {at for _, _, at in measured}
            elsewhere.append(name)
    assert {"efficientnet_lite4", "tf_efficientnet_v2_s"} <= set(elsewhere)
    assert rows["convnext_v2_base"]["weights"]["top1_pixels"] == 224


def test_the_table_has_a_row_a_network_within_80_columns(call: Call, tmp_path: Path) -> None:
    done = call("nets", folder=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows.keys() >= CATALOGUE.keys()
    assert rows["lenet5"] == ["lenet5", "1998", "61.7k", "417k", "32x32", "no", "weights"]
    assert rows["efficientnet_lite4"][2:7] == ["13M", "2.55G", "300x300", "81.5", "@380"]
    assert rows["vgg11"][2:5] == ["133M", "7.61G", "224x224"]
    assert not any(cell.startswith("@") for cell in rows["resnet50"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6M", 6e6),
        ("600k", 6e5),
        ("1.5G", 1.5e9),
        ("2b", 2e9),
        ("4.5e6", 4.5e6),
        (" 7 m ", 7e6),
        ("0", 0.0),
        (".5M", 5e5),
        ("6,000,000", 6e6),
        ("4.5e-1", 0.45),
        ("1_000", 1e3),
    ],
)
def test_numbers_are_read(text: str, value: float) -> None:
    assert a_number(text) == value


@pytest.mark.parametrize("text", ["", "6X", "M6", "1,5", "-1", "inf", ".", "1e999", "\N{ARABIC-INDIC DIGIT SIX}M"])
def test_other_texts_are_not(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        a_number(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (999.6, "1k"), (61_706, "61.7k"), (999_600, "1M"), (3_504_872, "3.5M"), (4.09e9, "4.09G")],
)
def test_numbers_are_shown_as_they_are_read(number: float, text: str) -> None:
    assert short(number) == text
    assert a_number(text) == pytest.approx(number, rel=5e-3)


def test_an_accuracy_tells_its_size_where_it_is_another() -> None:
    assert accuracy(None, None, 224) == ""
    assert accuracy(80.858, 224, 224) == "80.9"
    assert accuracy(81.54, 380, 300) == "81.5 @380"


def test_listing_the_networks_imports_no_torch() -> None:
    code = "import sys; from linne.nets import find; find.find_networks(); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

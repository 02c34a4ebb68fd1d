from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import LABELS, SPEC, TEMPERATURE, Made, encoded, picture
from PIL import Image

from linne.pixels.prepare import prepare
from linne.records.bundle import MANIFEST, MODEL
from linne.records.errors import BundleError, ImageError
from linne.serve.predictor import BATCH, Prediction, Predictor, load


@pytest.fixture(scope="module")
def predictor(made: Made) -> Predictor:
    return load(made.folder)


def same(one: Prediction, other: Prediction) -> bool:
    return one.label == other.label and one.probabilities == pytest.approx(other.probabilities, abs=1e-12)


def test_probabilities_are_the_softmax_of_the_tempered_logits(made: Made, predictor: Predictor) -> None:
    content = encoded(picture())
    logits = prepare(content, SPEC).reshape(-1).astype(np.float64) @ made.weight + made.bias
    expected = np.exp(logits / TEMPERATURE) / np.exp(logits / TEMPERATURE).sum()

    answer = predictor.predict_bytes(content, "a.png")

    assert answer.path == "a.png"
    assert answer.error == ""
    assert answer.probabilities == pytest.approx(dict(zip(LABELS, expected, strict=True)), abs=1e-6)
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert answer.label == LABELS[int(expected.argmax())] == next(iter(answer.probabilities))
    assert answer.probability == max(answer.probabilities.values())
    assert list(answer.probabilities.values()) == sorted(answer.probabilities.values(), reverse=True)


def test_probabilities_of_huge_logits_are_finite(predictor: Predictor) -> None:
    rows = predictor.probabilities(np.array([[3e38, -3e38, 0, 0, 0], [0, 0, 0, 0, 0]], np.float32))
    assert rows[0].tolist() == [1, 0, 0, 0, 0]
    assert rows[1] == pytest.approx(0.2)


def test_good_and_bad_files_keep_their_order(tmp_path: Path, predictor: Predictor) -> None:
    whole = encoded(picture(1, 300, 200), "JPEG")
    contents = {
        "good.jpg": whole,
        "cut.jpg": whole[: len(whole) // 2],
        "text.png": b"no picture",
        "empty.png": b"",
        "also good.png": encoded(picture(2)),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    names = [*contents, "absent.png"]

    answers = predictor.predict([tmp_path / name for name in names])

    assert [answer.path for answer in answers] == [str(tmp_path / name) for name in names]
    assert [bool(answer.error) for answer in answers] == [False, True, True, True, False, True]
    for name, answer in zip(names, answers, strict=True):
        if answer.error:
            assert (answer.label, answer.probability, answer.probabilities) == ("", 0.0, None)
            assert "\n" not in answer.error
        else:
            assert same(answer, predictor.predict_bytes(contents[name]))


def test_more_files_than_a_batch_and_none(tmp_path: Path, predictor: Predictor) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(2 * BATCH + 3)]
    for i, path in enumerate(paths):
        path.write_bytes(encoded(picture(i)))
    answers = list(predictor.stream(iter(paths)))
    assert [answer.path for answer in answers] == [str(path) for path in paths]
    assert all(
        same(answer, predictor.predict_bytes(path.read_bytes())) for answer, path in zip(answers, paths, strict=True)
    )
    assert predictor.predict([]) == []
    assert predictor.predict(str(paths[0]))[0].path == str(paths[0])
    assert predictor.logits(np.empty((0, 3, 8, 8), np.float32)).shape == (0, len(LABELS))


def test_modes_that_show_the_same_give_the_same(predictor: Predictor) -> None:
    colour, gray = picture(3), picture(4).convert("L")
    deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    half = colour.copy()
    half.putalpha(100)
    over_white = Image.blend(Image.new("RGB", colour.size, "white"), colour, 100 / 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    turned = encoded(colour.transpose(Image.Transpose.ROTATE_90), exif=exif)

    def answer(content: bytes) -> Prediction:
        return predictor.predict_bytes(content)

    assert same(answer(turned), answer(encoded(colour)))
    assert same(answer(encoded(gray)), answer(encoded(gray.convert("RGB"))))
    assert deep.mode == "I;16"
    assert same(answer(encoded(deep)), answer(encoded(gray)))
    assert same(answer(encoded(colour.convert("RGBA"))), answer(encoded(colour)))
    assert answer(encoded(half)).probabilities == pytest.approx(answer(encoded(over_white)).probabilities, abs=0.02)
    cmyk = encoded(colour.convert("CMYK"), "JPEG", quality=95)
    assert answer(cmyk).probabilities == pytest.approx(answer(encoded(colour)).probabilities, abs=0.05)


def test_bytes_that_are_no_image_raise(predictor: Predictor) -> None:
    for content in (b"", b"no picture", encoded(picture(0, 300, 200), "JPEG")[:900]):
        with pytest.raises(ImageError) as caught:
            predictor.predict_bytes(content, "a.jpg")
        assert caught.value.file == "a.jpg"
        assert caught.value.remedy


def test_threads_get_the_answers_of_one_after_the_other(predictor: Predictor) -> None:
    contents = [encoded(picture(i, 64, 48), ("PNG", "JPEG")[i % 2]) for i in range(16)]
    serial = [predictor.predict_bytes(content) for content in contents]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(predictor.predict_bytes, contents * 8)) == serial * 8


@pytest.mark.parametrize("position", [0.1, 0.5, 0.99])
def test_a_flipped_bit_in_the_model_is_found(fresh: Callable[..., Made], position: float) -> None:
    file = fresh().folder / MODEL
    content = bytearray(file.read_bytes())
    content[int(position * len(content))] ^= 1
    file.write_bytes(content)
    with pytest.raises(BundleError) as caught:
        load(file.parent)
    assert caught.value.file == str(file)


def test_a_flipped_bit_anywhere_in_the_manifest_is_found(fresh: Callable[..., Made]) -> None:
    file = fresh().folder / MANIFEST
    content = file.read_bytes()
    for i in range(len(content)):
        file.write_bytes(content[:i] + bytes([content[i] ^ (1 << i % 8)]) + content[i + 1 :])
        with pytest.raises(BundleError):
            load(file.parent)
    file.write_bytes(content)
    assert load(file.parent).labels == LABELS


def test_what_is_missing_is_named(tmp_path: Path, fresh: Callable[..., Made]) -> None:
    with pytest.raises(BundleError) as caught:
        load(tmp_path / "absent")
    assert caught.value.file == str(tmp_path / "absent")
    folder = fresh().folder
    for name in (MODEL, MANIFEST):
        (folder / name).unlink()
        with pytest.raises(BundleError) as caught:
            load(str(folder))
        assert caught.value.file == str(folder / name)


def test_predicting_and_serving_import_nothing_of_training() -> None:
    heavy = "{'torch', 'torchvision', 'pyarrow', 'sklearn', 'scipy', 'jinja2', 'onnx'}"
    code = f"import sys, linne.serve.server, linne.serve.predictor; sys.exit(str({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"

"""The package's front: lazy, and functions stay functions."""

from __future__ import annotations

import subprocess
import sys

import pytest

import linne


def modules_after(code: str) -> set[str]:
    """Top-level modules that are imported once `code` has run in a new interpreter."""
    script = f"{code}\nimport sys\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_linne_imports_nothing_heavy() -> None:
    assert modules_after("import linne").isdisjoint({"torch", "numpy", "typer", "rich", "pyarrow", "PIL"})


def test_listing_networks_imports_no_torch() -> None:
    assert "torch" not in modules_after("import linne; linne.nets.names()")


def test_loading_a_predictor_imports_no_torch() -> None:
    heavy = {"torch", "torchvision", "pyarrow", "sklearn", "scipy", "cleanlab", "jinja2", "onnx", "safetensors"}
    assert modules_after("import linne; linne.load").isdisjoint(heavy)


@pytest.mark.parametrize(
    "order",
    [pytest.param("linne.fit; import linne.fit.probe", marks=pytest.mark.slow), "import linne.fit.probe; linne.fit"],
)
def test_a_room_does_not_take_the_place_of_a_function(order: str) -> None:
    code = f"import linne; {order}; import linne.audit.leaks, linne.evaluate.metrics\n"
    code += "assert all(callable(f) for f in (linne.fit, linne.audit, linne.evaluate, linne.load, linne.create))"
    assert "linne" in modules_after(code)


def test_without_torch_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"  # as if it were not installed
        "import linne\n"
        "try: linne.create\n"
        "except linne.LinneError as error: assert 'torch' in error.problem and error.remedy\n"
        "else: raise SystemExit('no error')"
    )
    assert "linne" in modules_after(code)


def test_all_that_is_promised_is_there() -> None:
    assert all(hasattr(linne, name) for name in linne.__all__)
    assert set(linne.__all__) == set(dir(linne))
    with pytest.raises(AttributeError):
        linne.nothing  # noqa: B018

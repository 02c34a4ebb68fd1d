"""What all tests share: hypothesis's settings, and one walked road."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Property tests try the same examples on every machine, and none fails for being slow.
settings.register_profile(
    "linne",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("linne")

# What a shell starts in the background ignores Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ENDS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGXFSZ") if hasattr(signal, name))


@pytest.fixture(scope="session", autouse=True)
def no_machine_is_busy() -> Iterator[None]:
    """Tests that run at once keep the machine busy, and what is planned on a busy machine is not remembered."""
    from linne.runtime import contention

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(contention, "NOTICEABLE", float("inf"))
        patched.setattr(contention, "SECONDS", 0.01)
        yield


@pytest.fixture(autouse=True)
def signals_are_answered_as_before() -> Iterator[None]:
    """A test that leaves another answer to a signal behind would make a later one fail, or end all of them."""
    before = {number: signal.getsignal(number) for number in ENDS}
    yield
    assert {number: signal.getsignal(number) for number in ENDS} == before


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of digits, a class folder each; tests leave it as it is."""
    from walked import write_digits

    return write_digits(tmp_path_factory.mktemp("photos") / "digits")


@pytest.fixture(scope="session")
def lenet_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a random LeNet-5, safetensors."""
    from walked import write_lenet

    return write_lenet(tmp_path_factory.mktemp("weights") / "lenet5.safetensors")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of embeddings that tests share."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def walked(digits: Path, lenet_weights: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; tests that change it copy it first."""
    import linne

    out = tmp_path_factory.mktemp("runs")
    return linne.fit(digits, weights=lenet_weights, budget=60, cache=store, out=out).folder

"""Is an answer remembered, and does a damaged or missing memory cost no more than asking again?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.records.memory import keep, recalled

answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(told=st.lists(st.tuples(st.text(max_size=4), answers), max_size=6))
def test_the_last_answer_to_each_question_is_recalled(
    told: list[tuple[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    memory = tmp_path_factory.mktemp("memory") / "memory.json"
    assert recalled(memory) == {}
    for question, answer in told:
        keep(memory, question, answer)
    assert recalled(memory) == dict(told)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_memory_is_an_empty_one_and_is_mended(content: bytes, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    memory.write_bytes(content)
    assert recalled(memory) == {}
    keep(memory, "question", {"answer": 1})
    assert recalled(memory) == {"question": {"answer": 1}}


@pytest.mark.parametrize(
    "changed",
    [{"answer": 2}, {"answer": float("nan")}, {"question": "other"}, {"seal": "0"}, {"seal": None}, None, [], 1],
)
def test_an_answer_that_something_else_has_changed_is_none(changed: object, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    keep(memory, "one", 1)
    keep(memory, "other", 1.5)
    entries = json.loads(memory.read_text())
    one = entries["one"] | changed if isinstance(changed, dict) else changed
    memory.write_text(json.dumps({**entries, "one": one}))
    assert recalled(memory) == {"other": 1.5}
    memory.write_text(json.dumps({**entries, "one": entries["other"]}))  # the answer to another question
    assert recalled(memory) == {"other": 1.5}


def test_where_it_cannot_be_written_nothing_is_kept_and_nothing_breaks(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    memory = tmp_path / "file" / "memory.json"
    keep(memory, "question", 1)
    assert recalled(memory) == {}
    assert recalled(tmp_path) == {}


KEEPS = """
import sys
from pathlib import Path
from linne.records.memory import keep
for number in range(40):
    keep(Path(sys.argv[1]), f"{sys.argv[2]} {number}", number)
"""


def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    both = [subprocess.Popen([sys.executable, "-c", KEEPS, memory, name], env=with_paths()) for name in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    assert recalled(memory) == {f"{name} {number}": number for name in "ab" for number in range(40)}


def test_where_the_lock_cannot_be_had_it_is_kept_without(tmp_path: Path) -> None:
    (tmp_path / ".memory.json.lock").mkdir()
    keep(tmp_path / "memory.json", "question", 1)
    assert recalled(tmp_path / "memory.json") == {"question": 1}


def with_paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

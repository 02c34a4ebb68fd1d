"""Are several labels an image told from one, and given as a matrix?"""

from __future__ import annotations

import numpy as np
from some_records import index

from linne.records.truth import names_of, task_of, truth_of


def test_one_label_an_image() -> None:
    single = index(["a", "b", "c"], label=[1, 0, 1])
    assert task_of(single) == "single"
    truth = truth_of(single, np.array([2, 1]))
    assert truth.dtype == np.int64
    assert truth.tolist() == [1, 0]


def test_lists_of_one_label_each_are_one_label_an_image() -> None:
    single = index(["a", "b"], label=[1, 0], labels_of=[[1], [0]])
    assert task_of(single) == "single"
    assert truth_of(single).tolist() == [1, 0]


def test_several_labels_or_none() -> None:
    several = index(["a", "b", "c", "d"], ("x", "y", "z"), [0, -1, 1, 2], labels_of=[[0, 2], [], [1], [2]])
    assert task_of(several) == "multi"
    truth = truth_of(several)
    assert truth.dtype == np.uint8
    assert truth.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert truth_of(several, np.array([2, 0])).tolist() == [[0, 1, 0], [1, 0, 1]]
    assert truth_of(several.take(np.array([3, 1]))).tolist() == [[0, 0, 1], [0, 0, 0]]
    assert [several.label_of(row) for row in range(4)] == ["x, z", "", "y", "z"]
    assert names_of(several.labels, truth[0]) == ("x", "z")


def test_no_label_at_all_of_some_images_makes_it_multi() -> None:
    assert task_of(index(["a", "b"], label=[0, -1], labels_of=[[0], []])) == "multi"

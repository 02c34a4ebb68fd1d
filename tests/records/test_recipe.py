"""Does a recipe hold what it may, whether it comes from text, TOML or JSON, and nothing else?"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.records.errors import LinneError
from linne.records.recipe import CHOICES, RANGES, Recipe, checked
from linne.road.recipes import read_recipe, read_settings

KNOWN = {field.name: str(field.type) for field in fields(Recipe)}
OPTIONAL = {name for name, kind in KNOWN.items() if "None" in kind}


def values_of(name: str) -> st.SearchStrategy[Any]:
    """What a setting may be."""
    if name in CHOICES:
        return st.sampled_from(CHOICES[name])
    if KNOWN[name] == "bool":
        return st.booleans()
    low, high = RANGES[name]
    numbers = st.integers(int(low), int(high)) if "int" in KNOWN[name] else st.floats(low, high)
    return st.none() | numbers if name in OPTIONAL else numbers


settings = st.sampled_from(sorted(KNOWN)).flatmap(lambda name: st.tuples(st.just(name), values_of(name)))
recipes = st.fixed_dictionaries({name: values_of(name) for name in KNOWN}).map(lambda given_: Recipe(**given_))


def test_every_setting_is_a_word_a_flag_or_a_number_with_a_range() -> None:
    flags = {name for name, kind in KNOWN.items() if kind == "bool"}
    assert KNOWN.keys() == CHOICES.keys() | RANGES.keys() | flags
    assert not (CHOICES.keys() & RANGES.keys())


@given(recipes)
def test_json_keeps_a_recipe(recipe: Recipe) -> None:
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert all(type(getattr(again, name)) is type(getattr(recipe, name)) for name in KNOWN)


@given(settings)
def test_what_a_setting_may_be_it_can_be_given_as_text_and_in_toml(setting: tuple[str, Any]) -> None:
    name, value = setting
    kept = checked(name, value)
    assert kept == value
    text = "none" if value is None else str(value)
    found = read_settings([f"{name}={text}"])
    assert found == {name: value}
    assert type(found[name]) is type(kept)
    assert read_settings([f" {name} = {text} "]) == found


@given(values=st.lists(settings, max_size=8).map(dict))
def test_a_file_of_settings_is_read_as_it_was_written(
    values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"

    def written(value: object) -> str:
        if value is None:
            return '"none"'
        if isinstance(value, bool):
            return str(value).lower()
        return json.dumps(value) if isinstance(value, str) else repr(value)

    path.write_text("# what it is for\n" + "".join(f"{name} = {written(value)}\n" for name, value in values.items()))
    assert read_recipe(path) == values


junk = st.one_of(
    st.text(max_size=20),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
    st.sampled_from(["1e999", "nan", "0x10", "1_0", "-1", "1e400", "٣", "9" * 5000]),
)


@given(name=st.sampled_from(sorted(KNOWN)), value=junk)
def test_anything_else_is_refused_or_within_its_range(name: str, value: Any) -> None:
    try:
        found = checked(name, value)
    except LinneError:
        return
    if name in CHOICES:
        assert found in CHOICES[name]
    elif KNOWN[name] == "bool":
        assert isinstance(found, bool)
    elif found is None:
        assert name in OPTIONAL
    else:
        low, high = RANGES[name]
        assert low <= found <= high
        assert isinstance(found, int if "int" in KNOWN[name] else float)
        assert not isinstance(found, bool)
        assert math.isfinite(found)


@given(name=st.sampled_from(sorted(RANGES)))
def test_just_outside_its_range_a_number_is_refused(name: str) -> None:
    low, high = RANGES[name]
    whole = "int" in KNOWN[name]
    for value in (int(low) - 1, int(high) + 1) if whole else (low - 1e-9 - 1e-9 * low, high * 1.001):
        with pytest.raises(LinneError):
            checked(name, value)
        if (name, value) == ("epochs", 0):
            continue  # a plan in the making has levels of none
        with pytest.raises(LinneError):
            Recipe(**{"method": "whole", name: value})


@given(st.text(max_size=30))
def test_any_text_is_a_setting_or_refused(text: str) -> None:
    try:
        found = read_settings([text])
    except LinneError:
        return
    assert "=" in text
    assert found.keys() <= KNOWN.keys()


@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_file_is_a_recipe_or_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_bytes(content)
    try:
        found = read_recipe(path)
    except LinneError:
        return
    assert found.keys() <= KNOWN.keys()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("learning_rate = 1e9", "learning_rate"),
        ("learning_rat = 1", "learning_rat"),
        ("method = 'probes'", "method"),
        ("epochs = 1.5", "epochs"),
        ("mix = 'maybe'", "mix"),
        ("[level]\nepochs = 1", "level"),
        ("epochs = true", "epochs"),
    ],
)
def test_a_refusal_names_file_and_setting(content: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(content)
    with pytest.raises(LinneError) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_a_missing_file_a_folder_and_a_large_file_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 1_000_001)
    for path in (tmp_path / "none.toml", tmp_path, large):
        with pytest.raises(LinneError):
            read_recipe(path)


def test_the_method_may_be_the_probe_when_it_is_asked_for_but_is_no_level() -> None:
    assert read_settings(["method=probe"]) == {"method": "probe"}
    with pytest.raises(LinneError):
        Recipe.from_json({"method": "probe"})
    with pytest.raises(LinneError):
        Recipe.from_json({"epochs": 3})

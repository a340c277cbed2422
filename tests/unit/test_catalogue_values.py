"""Values of the YAML catalogue: what plain words mean, and what no catalogue may hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.adapters.catalogue_yaml.parse import LOADERS, NotYaml, compose
from crossfade.adapters.catalogue_yaml.values import Expanded, Reader


def read(text: str, *, fast: bool = True) -> tuple[JsonValue, list[str]]:
    """The value of a YAML text, and its faults."""
    node = compose(text.encode(), "a.yaml", LOADERS[0 if fast else -1])
    assert node is not None
    reader = Reader("a.yaml")
    return reader.value(node, ("top",)), [str(fault) for fault in reader.faults]


@pytest.mark.parametrize("fast", [True, False], ids=["libyaml", "pure"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1.50", 1.5),
        (".5", 0.5),
        ("6e3", 6000.0),
        ("1.2.3", "1.2.3"),
        ("2026-12-18", "2026-12-18"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 3", 3.0),
        ("=", "="),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(written: str, meant: JsonValue, fast: bool) -> None:
    value, faults = read(f"a: {written}", fast=fast)
    assert (value, faults) == ({"a": meant}, [])
    assert isinstance(value, dict)
    assert type(value["a"]) is type(meant)


def test_names_are_texts_whatever_they_look_like() -> None:
    assert read("{NO: 1, true: 2, 1: 3, 1.10: 4, 2026-01-01: 5}")[0] == {
        "NO": 1,
        "true": 2,
        "1": 3,
        "1.10": 4,
        "2026-01-01": 5,
    }


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (".inf", "a number must be finite"),
        ("-.INF", "a number must be finite"),
        (".nan", "a number must be finite"),
        ("1e999", "too large to calculate with"),
        ("9007199254740992", "is not exact everywhere; if it is a name, put it in quotes"),
        ("9" * 5_000, "is not exact everywhere"),
        ("!!int many", "does not fit its tag !!int"),
        ("!!binary aGk=", 'no such tag here; got "!!binary"'),
        ("!!python/object/apply:os.system [ls]", "no such tag here"),
        ("!secret x", 'no such tag here; got "!secret"; allowed !!str, !!int'),
        ("!!set {x}", "no such tag here"),
    ],
)
def test_what_json_cannot_say_is_a_fault(written: str, says: str) -> None:
    value, [fault] = read(f"a:\n  b: {written}")
    assert value == {"a": {"b": None}}
    assert fault.startswith("a.yaml:2 top.a.b: ")
    assert says in fault


def test_the_same_name_twice_is_a_fault_with_both_places() -> None:
    assert read("a: 1\nb: 2\na: 3") == ({"a": 1, "b": 2}, ["a.yaml:3 top.a: named twice; first at a.yaml:1"])


def test_a_name_that_is_a_list_is_a_fault() -> None:
    assert read("? [a]\n: 1")[1] == ["a.yaml:1 top: a name must be a text; this one is a list or a mapping"]


def test_merge_keys_are_a_fault_rather_than_a_strange_name() -> None:
    _, [fault] = read("a: &a {x: 1}\nb: {<<: *a}")
    assert "no merge keys" in fault
    assert read('a: {"<<": 1}') == ({"a": {"<<": 1}}, [])


def test_aliases_stand_for_what_they_name() -> None:
    assert read("a: &a {x: [1]}\nb: *a") == ({"a": {"x": [1]}, "b": {"x": [1]}}, [])


def test_an_alias_inside_what_it_names_is_a_fault() -> None:
    assert read("&a [1, *a]") == (
        [1, None],
        ["a.yaml:1 top[1]: an alias to something that holds it: it would never end"],
    )


@pytest.mark.parametrize("leaf", ["lol", "l" * 100_000], ids=["many values", "long texts"])
def test_a_billion_laughs_end_early(leaf: str) -> None:
    text = f"a0: &a0 [{leaf}]\n"
    text += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    with pytest.raises(Expanded):
        read(text)


@pytest.mark.parametrize("fast", [True, False], ids=["libyaml", "pure"])
@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "? " * 1_000], ids=["flow", "block", "names"])
def test_deep_nesting_is_refused_before_it_ends_the_process(text: str, fast: bool) -> None:
    with pytest.raises(NotYaml, match="nested deeper than 64 levels"):
        read(text, fast=fast)


printable = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]))
leaves = st.none() | st.booleans() | printable | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e300, 1e300)
names = printable.filter(lambda name: name != "<<")


@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20))
def test_every_json_text_reads_as_itself(value: JsonValue) -> None:
    assert read(json.dumps(value, ensure_ascii=False)) == (value, [])

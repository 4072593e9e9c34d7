"""Requests that ask for the same have one fingerprint, however they are written; others have another one."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.fingerprint import fingerprint

# As JSON knows no infinity, nor half a character.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | FINITE | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


def read(text):
    return orjson.loads(text)


def of(parameters, *, action="sync-invoices", **timing):
    return fingerprint(action, parameters, timing)


@st.composite
def spellings(draw, value):
    """Return JSON text of the value: members in any order, with white space, escapes and zeros wherever they may be."""
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    if isinstance(value, dict):
        members = draw(st.permutations(sorted(value)))
        inner = f",{space}".join(
            f"{draw(spellings(name))}{space}:{space}{draw(spellings(value[name]))}" for name in members
        )
        return f"{{{space}{inner}}}"
    if isinstance(value, list):
        return f"[{space}{f',{space}'.join(draw(spellings(item)) for item in value)}{space}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 and draw(st.booleans()):
        return draw(st.sampled_from([f"{value}.0", f"{value}.00", f"{value}e0", f"{value}0E-1"]))
    return json.dumps(value)


@given(value=VALUES, data=st.data())
def test_how_a_body_is_written_does_not_matter(value, data):
    assert of(read(data.draw(spellings(value)))) == of(read(json.dumps(value)))


def canonical(value):
    """Return what tells JSON values apart, by Python's own comparison."""
    if isinstance(value, dict):
        return ("object", frozenset((name, canonical(member)) for name, member in value.items()))
    if isinstance(value, list):
        return ("list", tuple(map(canonical, value)))
    return (type(value).__name__.replace("float", "int"), value)


@given(one=VALUES, other=VALUES)
def test_two_bodies_have_one_fingerprint_where_they_say_the_same(one, other):
    assert (of(one) == of(other)) == (canonical(one) == canonical(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": False}),
        ({"a": None}, {}),
        ({"a": ""}, {"a": None}),
        ({"a": []}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [[1], 2]}, {"a": [[1, 2]]}),
        ({"a": 1.5}, {"a": "1.5"}),
        ({"a": 2**53}, {"a": 2**53 + 1}),
        ({"a": "é"}, {"a": "e\u0301"}),
    ],
)
def test_what_says_something_else_has_another_one(one, other):
    assert of(one) != of(other)


def test_the_action_and_the_timing_belong_to_it():
    parameters = {"customer_id": "cus_ada"}
    fingerprints = {
        of(parameters),
        of(parameters, action="sync-all-invoices"),
        of(parameters, delay="60"),
        of(parameters, expires_in="60"),
        of(parameters, delay="60", expires_in="60"),
        of({**parameters, "delay": "60"}),
    }
    assert len(fingerprints) == 6
    assert of(parameters, delay="60", expires_in="60") == of(parameters, expires_in="60", delay="60")


def test_it_does_not_change_from_one_release_to_the_next():
    """Requests are repeated across an upgrade: what is kept of them must still fit."""
    parameters = {"customer_id": "cus_ada", "amounts": [1, 2.5], "note": None}

    expected = "2e3e0d0c7bc5ce833ae059c6f856a0a397e62aada2e7f66957ec4a2b7c33d43b"
    assert of(parameters, run_at="2026-11-24T08:00:00Z") == expected

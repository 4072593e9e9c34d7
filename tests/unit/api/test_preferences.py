"""Prefer, read as RFC 7240 has it: whatever a client sends, what is understood of it counts and nothing is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.preferences import Preferences, applied

TOKENS = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)
SPACES = st.text(" \t", max_size=2)
MALFORMED = st.sampled_from(
    ["=", "=5", ";", "wait=", "wait 5", "wait==5", '"wait=7"', "wait=5 6", "a;=1", "wäit=1", "@"]
)


def quoted(text):
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


VALUES = TOKENS | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(quoted)


ANY_VALUE = st.none() | VALUES


@st.composite
def preferences(draw, names=TOKENS, values=ANY_VALUE):
    """Return one preference as a client might write it, with parameters and spaces wherever they may be."""
    parts = [(draw(names), draw(values)), *draw(st.lists(st.tuples(TOKENS, ANY_VALUE), max_size=2))]
    written = [name if value is None else f"{name}{draw(SPACES)}={draw(SPACES)}{value}" for name, value in parts]
    return f"{draw(SPACES)};{draw(SPACES)}".join(written)


UNKNOWN = preferences(names=TOKENS.filter(lambda name: name.lower() not in ("wait", "respond-async")))
WAITS = st.integers(0, 10**9)


@given(header=st.none() | st.text())
def test_nothing_is_refused(header):
    Preferences.of(header)


@given(
    wait=WAITS,
    waits=st.data(),
    others=st.lists(UNKNOWN | MALFORMED | st.just(""), max_size=4),
    name=st.sampled_from(["wait", "Wait", "WAIT"]),
)
def test_what_is_understood_counts_whatever_stands_beside_it(wait, waits, others, name):
    known = waits.draw(preferences(names=st.just(name), values=st.sampled_from([str(wait), f'"{wait}"', f"00{wait}"])))
    elements = waits.draw(st.permutations([*others, known, "respond-async"]))

    assert Preferences.of(", ".join(elements)) == Preferences(respond_async=True, wait=wait)
    assert Preferences.of(",".join(elements)) == Preferences(respond_async=True, wait=wait)


@given(first=WAITS, second=WAITS)
def test_the_first_of_two_counts(first, second):
    assert Preferences.of(f"wait={first}, wait={second}").wait == first


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("wait=10", 10),
        ("respond-async;foo, WAIT = 5 ; bar=1", 5),
        (r'wait="1\0"', 10),
        ("wait=0", 0),
        ("wait=000", 0),
        (f"wait={'9' * 5000}", 10**9),
        ("", None),
        ("wait", None),
        ('wait=""', None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=soon, wait=5", None),
        ("wait=５", None),  # noqa: RUF001
        ('handling="lenient, wait=5"', None),
        ('note="never closed, wait=5', None),
        ('note="ends in a backslash, wait=5\\', None),
        (r'note="\", wait=3", wait=4', 4),
        ("x=1 wait=5", None),
    ],
)
def test_how_long_to_wait(header, wait):
    assert Preferences.of(header).wait == wait


@pytest.mark.parametrize(
    ("header", "is_meant"),
    [
        ("respond-async", True),
        ("Respond-Async; a", True),
        ('respond-async=""', True),
        ("return=minimal,respond-async", True),
        ("respond-async=no", False),
        ("respond-asynchronously", False),
        ('"respond-async"', False),
    ],
)
def test_whether_to_answer_at_once(header, is_meant):
    assert Preferences.of(header).respond_async is is_meant


@pytest.mark.parametrize("spaces", [" ", "\t", ";", "; ", ",", '"', "\\", '"\\', "a;", "=", "a=;"])
def test_a_long_header_is_read_in_no_time(spaces):
    """Each of them is gone through once: a pattern that went back would take hours, and the test's time-out."""
    Preferences.of("a" + spaces * 50_000 + "@")


def test_what_was_done_is_said():
    assert applied() == {}
    assert applied(wait=0) == {"Preference-Applied": "wait=0"}
    assert applied(respond_async=True, wait=10) == {"Preference-Applied": "respond-async, wait=10"}

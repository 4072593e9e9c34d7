"""How deep and how long what is in a body may be, to the very last."""

from urllib.parse import unquote

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from api.limits import require_modest
from api.problems import ProblemError

LIMITS = {
    "REQUEST_MAX_DEPTH": 3,
    "REQUEST_MAX_STRING_LENGTH": 5,
    "REQUEST_MAX_LIST_LENGTH": 4,
    "REQUEST_MAX_MEMBERS": 2,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=7),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@pytest.fixture(autouse=True, scope="module")
def _small_limits():
    with override_settings(**LIMITS):
        yield


def refusal(document):
    with pytest.raises(ProblemError) as refused:
        require_modest(document)
    assert refused.value.type.code == "parameters_invalid"
    [error] = refused.value.errors
    return error["pointer"], error["code"], error["detail"]


@pytest.mark.parametrize(
    "document",
    [
        *(None, True, 5, 1e300, "12345", [], {}),
        *([[["12345"]]], {"a": {"b": {"c": 1}}}, [1, 2, 3, 4], {"a": 1, "b": 2}, {"12345": 1}),
    ],
)
def test_what_is_just_within_the_limits_is_taken(document):
    require_modest(document)


@pytest.mark.parametrize(
    ("document", "pointer", "code", "detail"),
    [
        ("123456", "#", "max_length", "This has 6 characters; at most 5 are allowed."),
        ({"a": ["", "123456"]}, "#/a/1", "max_length", "This has 6 characters; at most 5 are allowed."),
        ([1, 2, 3, 4, 5], "#", "max_length", "This has 5 items; at most 4 are allowed."),
        ({"a": {"b": [0] * 1000}}, "#/a/b", "max_length", "This has 1,000 items; at most 4 are allowed."),
        ({"a": 1, "b": 2, "c": 3}, "#", "max_length", "This has 3 members; at most 2 are allowed."),
        ([{"123456": 1}], "#/0", "max_length", "A name in this has 6 characters; at most 5 are allowed."),
        ([[[[]]]], "#/0/0/0", "max_depth", "Lists and objects may be nested 3 deep; this is one deeper."),
        (
            {"a/~b": [{"c": {}}]},
            "#/a~1~0b/0/c",
            "max_depth",
            "Lists and objects may be nested 3 deep; this is one deeper.",
        ),
    ],
)
def test_what_is_beyond_them_is_named(document, pointer, code, detail):
    assert refusal(document) == (pointer, code, detail)


def is_modest(value, depth=1):
    if isinstance(value, str):
        return len(value) <= 5
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return (
        depth <= 3
        and len(value) <= (2 if isinstance(value, dict) else 4)
        and all(len(name) <= 5 for name in (value if isinstance(value, dict) else ()))
        and all(is_modest(item, depth + 1) for item in inner)
    )


@given(document=VALUES)
def test_nothing_else_is_refused(document):
    if is_modest(document):
        require_modest(document)
    else:
        pointer, _, _ = refusal(document)
        found = document
        for token in pointer.split("/")[1:]:
            found = found[int(token)] if isinstance(found, list) else found[_name(token)]


def _name(token):
    return unquote(token).replace("~1", "/").replace("~0", "~")

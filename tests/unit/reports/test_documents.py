import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID, uuid4

import pytest
from celery.canvas import Signature
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reports import claiming, execution, selectors
from reports.documents import dump, load
from reports.errors import DocumentInvalidError, DocumentTooLargeError
from tests.unit.reports import ledger
from tests.unit.reports.plans import task

LARGE = 10_000


@dataclass
class Point:
    x: int


class Text(str):
    __slots__ = ()


class Limit(Enum):
    NONE = math.inf


def dumped(value, limit=LARGE):
    return dump(value, limit=limit, what="The result of a.task")


def refusal(value, error=DocumentInvalidError):
    with pytest.raises(error) as refused:
        dumped(value)
    assert type(refused.value) is error
    return str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        Point(1),
        datetime(2026, 1, 1, tzinfo=UTC),
        date(2026, 1, 1),
        Signature("a.task"),
        {1: "an integer key"},
        {None: "a key that is null"},
        {"a", "set"},
        b"bytes",
        Decimal("1.5"),
        Text("a subclass"),
        object(),
        2**64,
        "a lone surrogate \ud800",
        {"\udfff": "a lone surrogate in a key"},
        (item for item in "ab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_json_is_refused_by_name(value):
    assert refusal(value).startswith("The result of a.task cannot be written as JSON: ")
    assert refusal([{"deep": value}]).startswith("The result of a.task cannot be written as JSON: ")


def test_what_holds_itself_is_refused():
    endless: list = []
    endless.append(endless)
    assert refusal(endless).startswith("The result of a.task cannot be written as JSON: ")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=repr)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        lambda value: [None, {"deep": (value,)}],
        lambda value: [uuid4(), value],
        lambda value: {"id": uuid4(), "limit": Limit.NONE, "value": value},
    ],
    ids=["alone", "deep", "after a UUID", "after an enumeration"],
)
def test_numbers_that_json_does_not_know_are_refused(wrap, value):
    assert refusal(wrap(value)) == "The result of a.task must not hold NaN or an infinity, which JSON does not know."


def test_an_enumeration_whose_value_json_does_not_know_is_refused():
    assert refusal([Limit.NONE]) == "The result of a.task must not hold NaN or an infinity, which JSON does not know."


@pytest.mark.parametrize("value", ["\0", ["a", {"deep": "b\0c"}], {"key\0": 1}, [{"a": {"b\0": []}}]], ids=repr)
def test_the_nul_character_is_refused(value):
    assert refusal(value) == "The result of a.task must not hold the character U+0000, which no database can keep."


@pytest.mark.parametrize("value", ["\\u0000", {"\\u0000": "\\\\u0000"}, "null", {"null": None}], ids=repr)
def test_what_only_looks_like_it_is_kept(value):
    assert load(dumped(value)) == value


def test_uuids_become_text():
    id_ = UUID("018f0000-0000-7000-8000-000000000000")
    assert load(dumped({"id": id_, "none": None})) == {"id": "018f0000-0000-7000-8000-000000000000", "none": None}


def test_the_limit_is_in_bytes_of_the_text():
    assert dumped("é" * 4, limit=10) == '"éééé"'
    with pytest.raises(DocumentTooLargeError) as refused:
        dumped("é" * 4 + "e", limit=10)
    assert str(refused.value) == "The result of a.task would take 11 bytes as JSON; at most 10 are allowed."


def test_large_sizes_are_written_with_commas():
    assert "20,002 bytes as JSON; at most 10,000" in refusal("x" * 20_000, DocumentTooLargeError)


def test_a_column_without_a_document_is_none():
    assert load(None) is None
    assert load("null") is None


_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=10,
)


@given(_values)
def test_every_json_value_comes_back_from_its_text(value):
    text = dumped(value)
    assert load(text) == value
    assert json.loads(text) == value


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_values)
@example(1e300)
@example(2.337246136958099e16)
@example(5e-324)
@example(-(2**63))
@example({"b": 1, "a": {"": "\U0001f600 \\u0000 \x7f"}})
def test_every_json_value_comes_back_from_the_database(value):
    """As parameters, an argument of one's own, an input, progress and a result: each way into a column and out."""
    with transaction.atomic():
        root = ledger.accept(task("a", value), "b", parameters=value)
        first = ledger.claim("a")
        execution.report_progress(first, {"message": value})
        shown = selectors.find(first.id, owner=None)
        execution.succeed(first, value)
        second = ledger.claim("b")
        execution.succeed(second, value)
        ended = selectors.find(root, owner=None)
        returned = [first.args[0], claiming.arguments_of(second)[0], shown.progress["message"]]
        assert all(same(back, value) for back in [*returned, ended.parameters, ended.result])
        transaction.set_rollback(True)


def same(back, value):
    """Tell whether ``back`` is ``value``; jsonb may have made a large float an integer of the same digits."""
    if isinstance(value, list):
        return isinstance(back, list) and len(back) == len(value) and all(map(same, back, value))
    if isinstance(value, dict):
        return isinstance(back, dict) and back.keys() == value.keys() and all(same(back[k], value[k]) for k in value)
    if isinstance(value, float):
        return isinstance(back, float | int) and float(back) == value
    return type(back) is type(value) and back == value

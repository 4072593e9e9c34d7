from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from api.parameters import LONGEST_FILTER, can_be_filtered, value_of
from api.strictness import make_strict


class Parameters(serializers.Serializer):
    text = serializers.CharField(max_length=LONGEST_FILTER)
    code = serializers.RegexField("^[a-z]+$", max_length=8)
    email = serializers.EmailField(max_length=254)
    id = serializers.UUIDField()
    day = serializers.DateField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    count = serializers.IntegerField()
    is_new = serializers.BooleanField()
    size = serializers.ChoiceField(choices=["s", "m"])

    long = serializers.CharField()
    longer = serializers.CharField(max_length=LONGEST_FILTER + 1)
    ratio = serializers.FloatField()
    number = serializers.ChoiceField(choices=[1, 2])
    some = serializers.ListField(child=serializers.IntegerField())
    any = serializers.JSONField()


SERIALIZER = Parameters()
make_strict(SERIALIZER)
FIELDS = SERIALIZER.fields
SHORT = ("text", "code", "email", "id", "day", "amount", "count", "is_new", "size")


def test_what_has_one_short_value_can_be_filtered_by():
    assert [name for name, field in FIELDS.items() if can_be_filtered(field)] == list(SHORT)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "5", "5"),
        ("text", "a:b c", "a:b c"),
        ("code", "abc", "abc"),
        ("email", "ada@example.com", "ada@example.com"),
        ("id", "01A20B657B6075C09F812ED74F00C786", "01a20b65-7b60-75c0-9f81-2ed74f00c786"),
        ("day", "2026-11-24", "2026-11-24"),
        ("amount", "12.5", "12.50"),
        ("count", "-5", -5),
        ("is_new", "true", True),
        ("is_new", "false", False),
        ("size", "s", "s"),
    ],
)
def test_a_text_is_the_value_that_a_report_has(name, text, value):
    read = value_of(FIELDS[name], text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text", ""),
        ("text", "x" * (LONGEST_FILTER + 1)),
        ("text", "\0"),
        ("code", "ABC"),
        ("email", "ada"),
        ("id", "5"),
        ("day", "today"),
        ("amount", "much"),
        ("count", "5.0"),
        ("count", "9" * 19),
        ("count", "٥"),  # noqa: RUF001  another digit is none
        ("is_new", "1"),
        ("size", "l"),
    ],
)
def test_what_no_report_can_have_is_refused(name, text):
    with pytest.raises(ValueError, match=r"."):
        value_of(FIELDS[name], text)


_valid = st.fixed_dictionaries(
    {
        "text": st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip),
        "id": st.uuids().map(str),
        "day": st.dates(min_value=date(1970, 1, 1)).map(str),
        "amount": st.decimals(-(10**9), 10**9, places=2).map(Decimal).map(str),
        "count": st.integers(-(2**63), 2**63 - 1),
        "is_new": st.booleans(),
        "size": st.sampled_from(["s", "m"]),
    }
)


@given(sent=_valid)
def test_whatever_was_accepted_is_found_by_what_it_shows(sent):
    for name, value in sent.items():
        field = FIELDS[name]
        kept = field.to_representation(field.run_validation(value))
        shown = str(kept).lower() if isinstance(kept, bool) else str(kept)
        assert value_of(field, shown) == (str(kept) if isinstance(kept, UUID) else kept)

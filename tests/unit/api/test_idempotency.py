"""Idempotency-Key: a string of a structured field, or the key as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from api.idempotency import LONGEST_KEY, key_of, refuse_key
from api.problems import ProblemError

KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=LONGEST_KEY)
BARE = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='",;\\'), min_size=1, max_size=LONGEST_KEY
)


def request(header):
    headers = {} if header is None else {"Idempotency-Key": header}
    return APIView().initialize_request(APIRequestFactory().post("/", headers=headers))


@given(key=KEYS)
def test_a_string_in_quotation_marks_is_the_key_in_it(key):
    escaped = key.replace("\\", r"\\").replace('"', r"\"")

    assert key_of(request(f'"{escaped}"')) == key


@given(key=BARE)
def test_without_quotation_marks_it_is_the_same_key(key):
    assert key_of(request(key)) == key == key_of(request(f'"{key}"'))


def test_there_may_be_none():
    assert key_of(request(None)) is None
    refuse_key(request(None))


@pytest.mark.parametrize(
    "header",
    [
        *(
            "",
            '""',
            '"',
            '"a',
            'a"',
            '"a"b"',
            'a"b',
            "a b",
            "a,b",
            '"a", "b"',
            '"a";b=1',
            "a;b",
            "a\\b",
            r'"\a"',
            r'"a\"',
        ),
        *("é", '"é"', '"a\tb"', "k" * (LONGEST_KEY + 1), f'"{"k" * (LONGEST_KEY + 1)}"', "abc\n", '"abc"\n'),
    ],
)
def test_what_is_no_key_is_refused(header):
    with pytest.raises(ProblemError) as refused:
        key_of(request(header))
    assert refused.value.type.code == "idempotency_key_invalid"
    assert "8e03978e-40d5-43e8-bc93-6894a57f9324" in refused.value.detail


@pytest.mark.parametrize("header", ["k" * (LONGEST_KEY + 1), f'"{"k" * (LONGEST_KEY + 1)}"'])
def test_a_key_that_is_too_long_is_told_so(header):
    with pytest.raises(ProblemError) as refused:
        key_of(request(header))
    assert f"has a key of more than {LONGEST_KEY} characters" in refused.value.detail


def test_a_batch_has_no_key_of_its_own():
    with pytest.raises(ProblemError) as refused:
        refuse_key(request("k"))
    assert refused.value.type.code == "idempotency_key_invalid"
    assert "give its requests keys" in refused.value.detail

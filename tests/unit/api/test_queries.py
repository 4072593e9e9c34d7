from base64 import urlsafe_b64encode
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from api.problems import ProblemError
from api.queries import BIGGEST_LIMIT, Page, action_of, encode_cursor, read_query, status_of
from reports.models import Status

THINGS = "things, newest first"


@given(id_=st.uuids())
def test_a_cursor_is_read_back_as_the_id_it_was_made_from(id_):
    cursor = encode_cursor(id_, THINGS)

    assert Page.of({"cursor": cursor}, THINGS).cursor == id_
    assert cursor == QueryDict(f"cursor={cursor}")["cursor"]


@given(id_=st.uuids())
def test_a_cursor_of_another_sequence_is_refused(id_):
    with pytest.raises(ProblemError) as refused:
        Page.of({"cursor": encode_cursor(id_, THINGS)}, "things, oldest first")
    [error] = refused.value.errors
    assert error["detail"].endswith("Repeat the other parameters as they were.")


@given(id_=st.uuids())
def test_a_cursor_from_before_they_were_marked_is_taken(id_):
    assert Page.of({"cursor": unmarked(id_)}, THINGS).cursor == id_


def unmarked(id_):
    return urlsafe_b64encode(id_.bytes).decode().removesuffix("==")


@given(text=st.text())
def test_a_cursor_of_the_client_s_own_making_is_refused_or_the_one_spelling_of_an_id(text):
    try:
        id_ = Page.of({"cursor": text}, THINGS).cursor
    except ProblemError:
        return
    assert text in (encode_cursor(id_, THINGS), unmarked(id_))


@pytest.mark.parametrize("cursor", [encode_cursor(UUID(int=1), THINGS), unmarked(UUID(int=1))])
@pytest.mark.parametrize("spelling", ["{}==", "{}!", " {}", "{}\n", "{}A", "{}AAAAAA"])
def test_another_spelling_of_a_cursor_is_refused(spelling, cursor):
    with pytest.raises(ProblemError):
        Page.of({"cursor": spelling.format(cursor)}, THINGS)


@pytest.mark.parametrize("limit", ["0", "-1", "501", "", "1.5", "1e2", " 5", "５", "00005", "9" * 50])  # noqa: RUF001
def test_a_limit_out_of_range_is_refused(limit):
    with pytest.raises(ProblemError) as caught:
        Page.of({"limit": limit}, THINGS)

    assert caught.value.errors == [
        {"parameter": "limit", "code": "invalid", "detail": f"Use a number from 1 to {BIGGEST_LIMIT}."}
    ]


def test_limits_within_range_are_taken():
    assert [Page.of({"limit": text}, THINGS).limit for text in ("1", "500")] == [1, BIGGEST_LIMIT]
    assert Page.of({}, THINGS) == Page(THINGS, limit=50, cursor=None)


@pytest.mark.parametrize(("count", "more"), [(0, False), (2, False), (3, True)])
def test_there_is_a_next_page_where_there_is_more(count, more):
    items = [SimpleNamespace(id=UUID(int=number)) for number in range(count)]

    page, cursor = Page(THINGS, limit=2).cut(items)

    assert page == items[:2]
    assert cursor == (encode_cursor(items[1].id, THINGS) if more else None)


def test_unknown_and_repeated_parameters_are_refused_together():
    query = "status=ok&status=failed&stauts=ok"
    request = SimpleNamespace(GET=QueryDict(query), META={"QUERY_STRING": query})

    with pytest.raises(ProblemError) as caught:
        read_query(request, "status", "limit")

    assert [(error["parameter"], error["code"]) for error in caught.value.errors] == [
        ("status", "repeated_parameter"),
        ("stauts", "unknown_parameter"),
    ]
    assert "known: status, limit" in caught.value.errors[1]["detail"]


@pytest.mark.parametrize("read", [action_of, status_of])
@pytest.mark.parametrize("text", ["", "\0", "OK", "a b", "ok\n"])
def test_filters_that_can_match_nothing_are_refused(read, text):
    with pytest.raises(ProblemError):
        read(text)


def test_filters_that_can_match_are_taken():
    assert action_of("sync-invoices") == "sync-invoices"
    assert status_of("failed") is Status.FAILED
    assert (action_of(None), status_of(None)) == (None, None)

from itertools import product
from types import SimpleNamespace

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from api.bodies import report_body
from api.conditions import etag_of, has_newest
from api.rendering import dump
from api.visibility import Reader
from reports import execution, selectors
from reports.models import AsyncActionReport
from tests.unit.reports.test_ledger import Ledger

OURS = '"version.10.0.1.0"'
READERS = [Reader(*rights) for rights in product((None, 1), (False, True), (False, True))]
# What RFC 9110 lets be in an entity tag, but for commas, which no tag of this service has.
_opaque = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='",'), max_size=12)
_strangers = _opaque.map(lambda text: f'"{text}"').filter(lambda tag: tag != OURS)
_weak = st.sampled_from(["", "W/"])
_spaces = st.sampled_from(["", " ", "\t", "  "])


def known(header):
    return has_newest(SimpleNamespace(META={"HTTP_IF_NONE_MATCH": header}), OURS)


@given(before=st.lists(_strangers, max_size=3), after=st.lists(_strangers, max_size=3), weak=_weak, space=_spaces)
def test_the_newest_is_found_wherever_it_stands_in_a_list_strong_or_weak(before, after, weak, space):
    assert known(f"{space},{space}".join([*before, weak + OURS, *after]))


@given(strangers=st.lists(st.tuples(_weak, _strangers).map("".join), max_size=5))
def test_other_versions_are_not_the_newest(strangers):
    assert not known(", ".join(strangers))


@given(header=st.text(max_size=30))
def test_whatever_is_sent_is_no_error(header):
    assert known(header) == (header.strip() == "*" or OURS in header)


@pytest.mark.parametrize("header", ["*", " * "])
def test_a_star_is_any_version(header):
    assert known(header)


@pytest.mark.parametrize("header", ["", "version.10.0.1.0", f"w/{OURS}", f"{OURS[:-1]}", f"*, {OURS[:-2]}"])
def test_what_is_no_tag_matches_nothing(header):
    assert not known(header)


def test_a_request_without_the_header_has_nothing():
    assert not has_newest(RequestFactory().get("/"), OURS)


class WatchedLedger(Ledger):
    """The ledger under any sequence of events, each of its reports read by everybody after each of them."""

    def __init__(self):
        super().__init__()
        self.bodies = {}  # by tag
        self.read = {}  # by id

    @rule(pick=st.integers(0, 999), current=st.integers(0, 2))
    def tell_progress(self, pick, current):
        if self.claims:
            progress = {"current": current, "total": None, "message": ""}
            execution.report_progress(self._pick(self.claims, pick), progress)

    @invariant()
    def a_tag_stands_for_one_body(self):
        for id_ in AsyncActionReport.objects.values_list("id", flat=True):
            report, outline = selectors.find(id_, owner=None), selectors.find_outline(id_, owner=None)
            assert outline.version == report.version
            # What is as it was can differ by the moment of reading alone, which who sees everything would see too.
            for reader in READERS[-1:] if self.read.get(id_) == report else READERS:
                body = dump(report_body(report, reader))
                assert self.bodies.setdefault((id_, etag_of(outline, reader)), body) == body
            self.read[id_] = report


@pytest.mark.django_db
def test_whatever_happens_another_body_has_another_tag():
    run_state_machine_as_test(
        WatchedLedger,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

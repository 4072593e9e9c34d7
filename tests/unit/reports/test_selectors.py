from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from reports import execution, intervention, selectors
from reports.models import AsyncActionReport, Kind, Status
from reports.requests import Timing
from reports.search import Search
from reports.selectors import Error
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return get_user_model().objects.create(username="ada").id


@pytest.fixture
def bob():
    return get_user_model().objects.create(username="bob").id


def found(id_, *, owner=None):
    report = selectors.find(id_, owner=owner)
    assert report is not None
    return report


# One report


def test_a_report_has_all_its_readers_need(ada):
    moment = datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    root = ledger.accept("a", action="sync", parameters={"n": 1}, requested_by=ada, timing=Timing(not_before=moment))
    claim = ledger.claim("a")
    execution.report_progress(claim, {"current": 1})
    report, row = found(root), AsyncActionReport.objects.get(id=root)
    assert (report.id, report.root, report.parent, report.position) == (root, root, None, 0)
    assert (report.kind, report.status, report.action, report.task) == (Kind.CHAIN, Status.RUNNING, "sync", "")
    assert (report.system_call, report.parameters, report.result, report.error) == (False, {"n": 1}, None, None)
    assert (report.progress, report.traceback, report.errors) == ({"current": 1}, "", [])
    assert (report.tasks_total, report.tasks_ok, report.children_total, report.children_ok) == (1, 0, 1, 0)
    assert report.not_before == moment
    moments = ("created_at", "not_before", "dispatched_at", "started_at", "finished_at")
    assert [getattr(report, name) for name in moments] == [getattr(row, name) for name in moments]
    assert all(getattr(report, name) is None or getattr(report, name).utcoffset() is not None for name in moments)


def test_a_task_s_own_report():
    root = ledger.accept(group("a", "b"))
    ledger.put_off("b")
    ledger.succeed("b", [1, 2])
    report = found(ledger.find("b").id)
    assert (report.kind, report.task, report.position, report.root) == (Kind.TASK, "b", 1, root)
    assert (report.parent, report.system_call) == (ledger.find("b").parent_id, True)
    assert (report.status, report.result, report.attempts, len(report.errors)) == (Status.OK, [1, 2], 2, 1)


@pytest.mark.parametrize(
    ("steps", "result"),
    [
        (["a"], "a"),
        (["a", "b"], "b"),
        ([group("a", "b")], ["a", "b"]),
        (["a", group(chain("b", "c"), group("d"))], ["c", ["d"]]),
        ([group("a"), chain("b", chain("c"))], "c"),
        ([group()], []),
    ],
    ids=range(6),
)
def test_the_result_of_an_action(steps, result):
    root = ledger.accept(*steps)
    for name in "abcd":
        if AsyncActionReport.objects.filter(task=name).exists():
            ledger.succeed(name, name)
    assert found(root).result == result
    assert found(root).status == Status.OK


def test_there_is_no_result_before_the_end():
    root = ledger.accept(group("a", "b"))
    ledger.succeed("a", "a")
    assert found(root).result is None
    assert found(ledger.find("a").parent_id).result is None


def test_a_failed_action_has_the_error_of_the_task_that_failed():
    root = ledger.accept(group("a", chain("b", "c")))
    ledger.succeed("b")
    ledger.fail("c")
    report = found(root)
    assert (report.status, report.result) == (Status.FAILED, None)
    assert (report.error, report.traceback) == (
        Error("broken", "BrokenError", "It broke.", "c", retryable=True),
        "Traceback ...",
    )
    assert found(ledger.find("a").parent_id).error == report.error
    assert found(ledger.find("a").id).error is None


def test_a_cancelled_action_has_neither_result_nor_error():
    root = ledger.accept("a")
    intervention.cancel(root)
    report = found(root)
    assert (report.status, report.result, report.error, report.traceback) == (Status.CANCELLED, None, None, "")


def test_reports_of_others_are_not_found(ada, bob):
    root = ledger.accept("a", requested_by=ada)
    task = ledger.find("a").id
    assert {selectors.find(id_, owner=owner) is None for id_ in (root, task) for owner in (ada, None)} == {False}
    assert {selectors.find(id_, owner=bob) for id_ in (root, task)} == {None}
    nobodys = ledger.accept("a")
    assert selectors.find(nobodys, owner=ada) is None
    assert selectors.find(uuid4(), owner=None) is None


def test_finding_a_report_is_one_query_and_one_more_for_a_group_s_results(django_assert_num_queries):
    root = ledger.accept("a", group(*[f"t{n}" for n in range(10)]))
    with django_assert_num_queries(1):
        found(root)
    ledger.succeed("a")
    for n in range(10):
        ledger.succeed(f"t{n}", n)
    with django_assert_num_queries(2):
        assert found(root).result == list(range(10))
    other = ledger.accept("b", "c")
    ledger.succeed("b")
    ledger.succeed("c", "end")
    with django_assert_num_queries(1):
        assert found(other).result == "end"


def test_one_may_ask_only_where_a_report_stands(django_assert_num_queries):
    root = ledger.accept("a")
    with django_assert_num_queries(1):
        assert selectors.find_status(root) == Status.PENDING
    assert selectors.find_status(uuid4()) is None


# Lists of actions


def test_actions_are_listed_newest_first_without_what_is_below_them(django_assert_num_queries):
    roots = [ledger.accept(group("a", "b")) for _ in range(3)]
    with django_assert_num_queries(1):
        listed = selectors.list_roots(Search(), limit=10)
    assert [report.id for report in listed] == roots[::-1]


def test_what_is_listed_is_what_is_found_but_for_parameters_and_results():
    root = ledger.accept("a", parameters={"n": 1})
    ledger.succeed("a", "end")
    (listed,) = selectors.list_roots(Search(), limit=10)
    assert listed == replace(found(root), parameters=None, result=None)


def test_pages_of_actions():
    roots = [ledger.accept("a") for _ in range(5)][::-1]
    pages = [selectors.list_roots(Search(), limit=2)]
    for _ in range(3):
        pages.append(selectors.list_roots(Search(), limit=2, after=pages[-1][-1].id))
    assert [[report.id for report in page] for page in pages] == [roots[:2], roots[2:4], roots[4:], []]


# What is below one


def test_the_tree_is_listed_in_the_order_of_its_plan(django_assert_num_queries):
    root = ledger.accept("a", group("b", chain("c")), "d")
    ledger.accept("x")
    with django_assert_num_queries(1):
        listed = selectors.list_tree(root, owner=None, limit=10)
    assert [report.task or report.kind for report in listed] == ["a", Kind.GROUP, "b", Kind.CHAIN, "c", "d"]
    assert [report.position for report in listed] == [0, 1, 0, 1, 0, 2]


def test_what_a_task_grew_into_comes_after_the_plan():
    root = ledger.accept("a", "b")
    ledger.expand("a", "x", "y")
    listed = selectors.list_tree(root, owner=None, limit=10)
    assert [report.task for report in listed] == ["a", "b", "x", "y"]
    assert listed[2].parent == listed[0].id


def test_pages_of_a_tree():
    root = ledger.accept(group(*"abcd"))
    pages = [selectors.list_tree(root, owner=None, limit=2)]
    for _ in range(3):
        pages.append(selectors.list_tree(root, owner=None, limit=2, after=pages[-1][-1].id))
    assert [[report.task for report in page] for page in pages] == [["", "a"], ["b", "c"], ["d"], []]


def test_trees_of_others_are_empty(ada, bob):
    root = ledger.accept("a", requested_by=ada)
    assert len(selectors.list_tree(root, owner=ada, limit=10)) == 1
    assert selectors.list_tree(root, owner=bob, limit=10) == []
    assert selectors.list_tree(uuid4(), owner=None, limit=10) == []

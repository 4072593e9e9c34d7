from uuid import uuid4

import pytest
from django.db.models import Q

from reports import claiming, execution
from reports.inputs import result_of, results_of_group
from reports.models import AsyncActionReport, Kind
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group, task

pytestmark = pytest.mark.django_db


def given_to(name):
    """Claim a task and return what is handed over to it."""
    return claiming.arguments_of(ledger.claim(name))


def test_the_first_task_is_given_its_own_arguments_alone():
    ledger.accept(task("a", 1, 2))
    assert given_to("a") == (1, 2)


def test_the_next_task_is_given_the_result_before_its_own_arguments():
    ledger.accept("a", task("b", 1, 2))
    ledger.succeed("a", {"result": None})
    assert given_to("b") == ({"result": None}, 1, 2)


def test_a_task_that_returned_nothing_hands_over_none():
    ledger.accept("a", "b")
    ledger.succeed("a", None)
    assert given_to("b") == (None,)


def test_an_immutable_task_is_given_its_own_arguments_alone():
    ledger.accept("a", task("b", 1, immutable=True))
    ledger.succeed("a", "unwanted")
    assert given_to("b") == (1,)


def test_all_members_of_a_group_are_given_the_result_before_it():
    ledger.accept("a", group("b", chain("c", "d"), group("e")))
    ledger.succeed("a", "input")
    assert [given_to(name) for name in "bce"] == [("input",)] * 3


def test_a_group_hands_over_its_results_in_the_order_of_its_members():
    ledger.accept(group("a", "b", "c"), "d")
    for name in "bca":
        ledger.succeed(name, name)
    assert given_to("d") == (["a", "b", "c"],)


def test_a_chain_hands_over_its_last_result():
    ledger.accept(chain("a", chain("b", "c")), "d")
    for name in "abc":
        ledger.succeed(name, name)
    assert given_to("d") == ("c",)


def test_groups_and_chains_in_each_other():
    ledger.accept(group("a", chain("b", group("c", group("d"), group())), chain("e", chain(group("f")))), "g")
    for name in "abcdef":
        ledger.succeed(name, name)
    assert given_to("g") == (["a", ["c", ["d"], []], ["f"]],)


def test_an_empty_group_hands_over_an_empty_list():
    ledger.accept("a", group(), "b")
    ledger.succeed("a", "unwanted")
    assert given_to("b") == ([],)


def test_an_empty_group_at_the_very_beginning_hands_over_an_empty_list():
    ledger.accept(group(), "a")
    assert given_to("a") == ([],)


def test_a_task_that_grew_hands_over_what_it_grew_to():
    ledger.accept("a", "b", "c")
    ledger.succeed("a", "input")
    ledger.expand("b", "x", group("y", "z"))
    ledger.succeed("x", "x")
    claim = ledger.claim("y")
    assert claiming.arguments_of(claim) == ("x",)
    execution.succeed(claim, "y")
    ledger.succeed("z", "z")
    assert given_to("c") == (["y", "z"],)


def test_what_a_task_grows_into_is_not_given_its_input():
    ledger.accept("a", "b")
    ledger.succeed("a", "input")
    ledger.expand("b", task("x", 1), "y")
    assert given_to("x") == (1,)


def test_members_that_grew_are_gathered_where_they_stood():
    ledger.accept(group("a", "b", "c"), "d")
    ledger.expand("b", group("x", "y"))
    for name in "ycxa":
        ledger.succeed(name, name)
    assert given_to("d") == (["a", ["x", "y"], "c"],)


def test_results_are_kept_once_where_they_came_from():
    root = ledger.accept(group("a", chain("b", "c")), "d")
    for name in "abcd":
        ledger.succeed(name, name * 3)
    holders = AsyncActionReport.objects.filter(root=root).exclude(result=None)
    assert {row.task: row.result for row in holders} == {"a": "aaa", "b": "bbb", "c": "ccc", "d": "ddd"}
    assert not AsyncActionReport.objects.filter(~Q(kind=Kind.TASK), result__isnull=False).exists()
    assert result_of(root) == "ddd"


def test_a_fan_out_is_gathered_by_two_queries(django_assert_num_queries):
    ledger.accept(group(*[chain(f"a{n}", f"b{n}") for n in range(20)]), "z")
    for n in range(20):
        ledger.succeed(f"a{n}", None)
        ledger.succeed(f"b{n}", n)
    claim = ledger.claim("z")
    with django_assert_num_queries(2):
        assert claiming.arguments_of(claim) == (list(range(20)),)


def test_groups_in_a_group_cost_one_query_more_however_many_they_are(django_assert_num_queries):
    root = ledger.accept(group(*[group(f"a{n}", f"b{n}") for n in range(20)]))
    for n in range(20):
        ledger.succeed(f"b{n}", -n)
        ledger.succeed(f"a{n}", n)
    top = AsyncActionReport.objects.get(parent=root)
    with django_assert_num_queries(2):
        assert results_of_group(top.id) == [[n, -n] for n in range(20)]


def test_more_groups_in_a_group_than_one_query_takes():
    root = ledger.accept(group(*[group(group()) for _ in range(600)]))
    assert result_of(root) == [[[]]] * 600


def test_there_is_no_result_of_what_there_is_not():
    with pytest.raises(LookupError, match=r"^There is no report "):
        result_of(uuid4())

import json
from uuid import UUID, uuid4

import pytest
from celery import chain, group
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reports.models import AsyncActionReport, Status
from tests.actions import journal, outcomes
from tests.actions.canvases import Canvas, plan_of
from tests.integration.engine.engine import Engine
from tests.integration.engine.reference import Outcome, evaluate

_CANVASES_AT_ONCE = 30
_TASKS_PER_CANVAS = 12  # and those that they grow to


def _few(canvases: st.SearchStrategy[Canvas], least: int) -> st.SearchStrategy[list[Canvas]]:
    return st.lists(canvases, min_size=least, max_size=3)


def _plans(steps: st.SearchStrategy[Canvas]) -> st.SearchStrategy[Canvas]:
    return st.builds(lambda few: ["sequence", *few], _few(steps, 1))


def _nested(inner: st.SearchStrategy[Canvas]) -> st.SearchStrategy[Canvas]:
    # Celery's chains unroll a group of one and leave an empty one out; outermost sequences are tuples, and do not.
    kept = inner.filter(lambda step: step[0] != "group" or len(step) > 2)
    return st.one_of(
        st.builds(lambda steps: ["sequence", *steps], _few(kept, 2)),
        st.builds(lambda members: ["group", *members], _few(inner, 0)),
        st.builds(lambda header, body: ["chord", header, body], _few(inner, 0), inner),
        st.builds(lambda grown: ["grow", grown], st.one_of(inner, _plans(inner))),
    )


_work = st.sampled_from([["work"], ["work"], ["work", "immutable"], ["flaky", 1], ["flaky", 2]])
# Failures are rare, or hardly any large canvas would come to its end.
_tasks = st.integers(0, 19).flatmap(lambda n: st.just(["fail"]) if n == 19 else _work)
_canvases = _plans(st.recursive(_tasks, _nested, max_leaves=_TASKS_PER_CANVAS))


@settings(
    max_examples=10,
    deadline=None,
    print_blob=True,
    suppress_health_check=[*HealthCheck],
    # A failure names the one canvas of the many that failed; to look for a smaller one would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(_canvases, min_size=_CANVASES_AT_ONCE, max_size=_CANVASES_AT_ONCE))
def test_any_canvas_comes_to_what_it_would_in_plain_python(engine: Engine, canvases: list[Canvas]) -> None:
    _assert_as_in_plain_python(engine, canvases)


@pytest.mark.parametrize(
    "canvas",
    [
        ["sequence", ["group"]],
        ["sequence", ["group"], ["group"], ["work"]],
        ["sequence", ["work"], ["group", ["group", ["group"]], ["group"]], ["work"]],
        ["sequence", ["chord", [], ["work"]]],
        ["sequence", ["chord", [["chord", [["work"]], ["group"]]], ["chord", [], ["group", ["work"]]]]],
        ["sequence", ["grow", ["group"]], ["work"]],
        ["sequence", ["grow", ["grow", ["grow", ["sequence", ["group"], ["work"]]]]], ["work"]],
        ["sequence", ["group", ["grow", ["fail"]], ["grow", ["sequence", ["work"], ["fail"]]], ["fail"]], ["work"]],
        ["sequence", ["group", *[["group", *[["flaky", 1]] * 7]] * 7], ["work"]],
    ],
    ids=lambda canvas: json.dumps(canvas)[:60],
)
def test_canvas_at_the_edge(engine: Engine, canvas: Canvas) -> None:
    _assert_as_in_plain_python(engine, [canvas])


def test_a_tuple_keeps_a_group_of_one_which_celerys_chain_unrolls(engine: Engine) -> None:
    members = [outcomes.succeed.s(n=1)]
    kept = engine.run(group(members), outcomes.succeed.s(n=2))
    unrolled = engine.run(chain(group(members), outcomes.succeed.s(n=2)))
    assert kept.result == [[[{"n": 1}]], {"n": 2}]
    assert unrolled.result == [[{"n": 1}], {"n": 2}]


def _assert_as_in_plain_python(engine: Engine, canvases: list[Canvas]) -> None:
    batch = uuid4().hex[:8]
    expected: dict[UUID, tuple[str, Outcome]] = {}
    for number, canvas in enumerate(canvases):
        path = f"{batch}.{number}"
        expected[engine.request(*plan_of(canvas, path))] = path, evaluate(canvas, path)
    engine.settle(expected)
    ran = journal.counts(f"{batch}.")
    for canvas, (root, (path, outcome)) in zip(canvases, expected.items(), strict=True):
        try:
            _assert_outcome(engine, root, outcome)
            _assert_ran_once(root, outcome, {f"{batch}.{line}": n for line, n in ran.items()}, path)
        except AssertionError as error:
            error.add_note(f"The canvas, at path {path}: {json.dumps(canvas)}")
            raise


def _assert_outcome(engine: Engine, root: UUID, expected: Outcome) -> None:
    report = engine.report(root)
    if expected.is_ok:
        assert (report.status, report.error) == (Status.OK, None)
        assert report.result == expected.value
        assert report.tasks_ok == report.tasks_total == expected.tasks
        assert set(AsyncActionReport.objects.filter(root_id=root).values_list("status", flat=True)) == {Status.OK}
    else:
        assert report.status == Status.FAILED
        assert report.error is not None
        assert (report.error.code, report.error.task) == ("canvas_broken", "canvases.fail")
        assert report.error.message in expected.failing


def _assert_ran_once(root: UUID, expected: Outcome, batch: dict[str, int], path: str) -> None:
    ran = {line: n for line, n in batch.items() if line.startswith((f"{path} ", f"{path}."))}
    if expected.is_ok:
        assert ran == expected.lines
    else:
        assert set(ran) <= set(expected.lines)
        assert set(ran.values()) == {1}
    done = sum(line.endswith(" ok") for line in ran)
    assert AsyncActionReport.objects.values_list("tasks_ok", flat=True).get(id=root) == done

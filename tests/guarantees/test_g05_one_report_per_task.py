"""G5: every task has a report of its own, below the action's and marked as the system's; none is ever shared."""

from collections import Counter

from chaos import witness
from reports.models import AsyncActionReport, Kind
from tests.guarantees.ground import ProvingGround

CANVAS = [
    "sequence",
    ["work"],
    ["group", ["sequence", ["work"], ["work", {"flaky": 2}]], ["work"], ["grow", ["group", ["work"], ["work"]]]],
    ["grow", ["sequence", ["work"], ["grow", ["work"]]]],
]
TASKS = 11


def test_every_task_runs_for_a_report_of_its_own(ground: ProvingGround) -> None:
    roots = [ground.request(CANVAS) for _ in range(5)]
    ground.stack.worker.kill()
    ground.stack.worker.start()
    ground.assert_four_zeros()
    reports = {row.id: row for row in AsyncActionReport.objects.all()}
    by_task = {entry.task: entry.path for entry in witness.entries(ground.key)}
    # A path stands for one task of one action: no two of them ran for one report, and none ran for two.
    assert max(Counter(by_task.values()).values()) == 1
    assert len({(entry.task, entry.path) for entry in witness.entries(ground.key)}) == len(by_task)
    for task, path in by_task.items():
        row = reports[task]
        assert row.arguments["kwargs"]["path"] == path
        assert (row.system_call, row.parent_id is not None, row.root_id in roots) == (True, True, True)
    for root in roots:
        assert reports[root].system_call is False
        assert reports[root].task == ""
        if reports[root].status == "ok":
            assert reports[root].tasks_total == reports[root].tasks_ok == TASKS
            assert sum(row.root_id == root and row.task != "" for row in reports.values()) == TASKS


def test_the_report_of_a_task_is_what_the_broker_calls_it(ground: ProvingGround) -> None:
    root = ground.request(["group", ["work"], ["work"]])
    ground.assert_four_zeros()
    tasks = AsyncActionReport.objects.filter(root_id=root, kind=Kind.TASK).values_list("id", flat=True)
    # Tasks testify under the id that Celery gave them.
    assert set(tasks) == {entry.task for entry in witness.entries(ground.key)}

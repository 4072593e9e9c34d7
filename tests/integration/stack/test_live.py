import httpx
import pytest

from reports.models import AsyncActionReport
from stack.process import wait_for
from tests.live import LiveStack


def _synchronised(stack: LiveStack) -> dict:
    with stack.client() as client:
        accepted = client.post("/actions/sync-invoices", json={"customer_id": "cus_ada"})
        assert accepted.status_code == httpx.codes.ACCEPTED
        report = {}

        def is_final() -> bool:
            report.update(client.get(accepted.headers["Location"]).json())
            return report["status"] in {"ok", "failed", "cancelled"}

        assert wait_for(is_final, 20)
        return report


def test_an_action_runs_and_the_test_reads_its_report_in_the_ledger(stack: LiveStack) -> None:
    report = _synchronised(stack)
    assert report["status"] == "ok"
    assert AsyncActionReport.objects.get(id=report["id"]).status == "ok"


@pytest.mark.parametrize("service", ["web", "worker", "valkey", "sandbox"])
def test_a_service_that_a_test_killed_is_there_for_the_next_one(stack: LiveStack, service: str) -> None:
    assert _synchronised(stack)["status"] == "ok"
    getattr(stack, service).kill()


def test_the_ledger_is_empty_at_first(stack: LiveStack) -> None:
    assert not AsyncActionReport.objects.exists()


def test_one_more_worker_belongs_to_the_stack(stack: LiveStack) -> None:
    other = stack.add_worker()
    stack.worker.kill()
    assert _synchronised(stack)["status"] == "ok"
    assert other.is_running

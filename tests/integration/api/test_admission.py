"""No more is accepted than workers can be expected to do."""

import pytest

from reports.models import AsyncActionReport
from services import admission as services_admission
from services.admission import admission
from tests.contract.document import require_as_documented
from tests.integration.api.ledger import A_GROUP
from tests.integration.api.test_problems import problem

ACTION = "/actions/sync-invoices"
BODY = {"customer_id": "cus_ada"}


@pytest.fixture(autouse=True)
def _asked_each_time(settings, monkeypatch):
    settings.REPORT_MAX_WAITING = 2
    monkeypatch.setattr(services_admission, "_HOLDS", 0.0)
    monkeypatch.setattr(services_admission, "_TIMES_AS_LONG", 0)
    monkeypatch.setattr(admission, "_holds_until", float("-inf"))
    monkeypatch.setattr(admission, "_has_room", True)


def ask(client, path=ACTION, body=BODY, **query):
    return client.post(path, body, content_type="application/json", query_params=query)


@pytest.mark.parametrize(
    ("operation", "path", "body"),
    [
        ("sync_invoices", ACTION, BODY),
        ("sync_invoices_batch", f"{ACTION}/batch", {"requests": [{"parameters": BODY}]}),
    ],
    ids=["one", "batch"],
)
def test_what_can_only_wait_is_told_so_and_changes_nothing(ada, ledger, operation, path, body):
    ledger.accept(A_GROUP)  # two tasks wait
    before = AsyncActionReport.objects.count()

    answer = ask(ada, path, body)

    problem(answer, 503, "overloaded")
    assert 5 <= int(answer["Retry-After"]) <= 15
    require_as_documented(answer, operation)
    assert AsyncActionReport.objects.count() == before


def test_what_was_accepted_has_its_report_all_the_same(ada, ledger):
    key = {"headers": {"Idempotency-Key": '"k"'}, "content_type": "application/json"}
    first = ada.post(ACTION, BODY, **key)
    ledger.accept(A_GROUP)

    again = ada.post(ACTION, BODY, **key)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]


class TestBatchWithoutRoom:
    """What of a batch was accepted before needs no room: only what is new is refused."""

    NEW = {"parameters": {"customer_id": "cus_new"}}

    @pytest.fixture
    def repeats(self, ada, ledger):
        """Return requests that were accepted while there was room, and their reports."""
        requests = [{"parameters": BODY, "idempotency_key": f"k{number}"} for number in range(2)]
        accepted = self.post(ada, *requests).json()["items"]
        ledger.accept(A_GROUP)
        return requests, [item["report"]["id"] for item in accepted]

    @staticmethod
    def post(client, *requests, **more):
        answer = ask(client, f"{ACTION}/batch", {"requests": requests, **more})
        require_as_documented(answer, "sync_invoices_batch")
        return answer

    @pytest.mark.parametrize("atomic", [False, True])
    def test_one_of_repeats_alone_has_their_reports(self, ada, repeats, atomic):
        requests, reports = repeats
        before = AsyncActionReport.objects.count()

        answer = self.post(ada, *requests, atomic=atomic)

        assert answer.status_code == 200
        items = answer.json()["items"]
        assert [(item["report"]["id"], item["replayed"]) for item in items] == [(id_, True) for id_ in reports]
        assert "Retry-After" not in answer
        assert AsyncActionReport.objects.count() == before

    def test_what_is_new_is_refused_beside_them(self, ada, repeats):
        requests, reports = repeats
        before = AsyncActionReport.objects.count()

        answer = self.post(ada, self.NEW, *requests, {"parameters": None}, {**self.NEW, "idempotency_key": "k0"})

        items = answer.json()["items"]
        assert [item["status"] for item in items] == [503, 202, 202, 422, 503]
        assert [item["report"]["id"] for item in items[1:3]] == reports
        assert items[0]["problem"]["code"] == "overloaded"
        assert 5 <= int(answer["Retry-After"]) <= 15
        assert AsyncActionReport.objects.count() == before

    def test_all_or_nothing_waits_for_room_where_one_is_new(self, ada, repeats):
        requests, _ = repeats

        problem(self.post(ada, *requests, self.NEW, atomic=True), 503, "overloaded")

    @pytest.mark.parametrize("others", [[], [NEW]], ids=["repeats", "new"])
    def test_all_or_nothing_with_one_that_is_malformed_needs_no_room_to_be_refused(self, ada, repeats, others):
        requests, _ = repeats

        answer = self.post(ada, *requests, *others, {"parameters": None}, atomic=True)

        problem(answer, 422, "batch_refused")
        at = len(requests) + len(others)
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/requests/{at}/parameters"]
        assert "Retry-After" not in answer

    def test_what_is_malformed_beside_repeats_is_told_nothing_of_room(self, ada, repeats):
        requests, _ = repeats

        answer = self.post(ada, *requests, {"parameters": None})

        assert [item["status"] for item in answer.json()["items"]] == [202, 202, 422]
        assert "Retry-After" not in answer

    def test_one_without_repeats_is_refused_as_a_whole(self, ada, repeats):
        answer = self.post(ada, self.NEW, {**self.NEW, "idempotency_key": "new"})

        problem(answer, 503, "overloaded")
        assert 5 <= int(answer["Retry-After"]) <= 15


def test_there_is_room_again_once_a_worker_has_taken_something(ada, ledger):
    root = ledger.accept(A_GROUP)
    assert ask(ada).status_code == 503

    ledger.claim(root)

    assert ask(ada).status_code == 202


def test_all_else_is_answered_all_the_while(ada, ledger):
    root = ledger.accept(A_GROUP)

    assert ada.get(f"/reports/{root}").status_code == 200
    assert ask(ada, validate_only="true").status_code == 200
    assert ada.post(f"/reports/{root}/cancel", content_type="application/json").status_code == 200


def test_what_has_its_time_still_to_come_waits_for_no_worker(ada):
    for _ in range(3):
        assert ask(ada, delay="3600").status_code == 202


def test_the_log_says_it_once_not_for_every_client(ada, ledger, caplog):
    root = ledger.accept(A_GROUP)
    for _ in range(3):
        assert ask(ada).status_code == 503
    ledger.claim(root)
    assert ask(ada).status_code == 202

    assert [record.message for record in caplog.records if record.levelname != "DEBUG"] == [
        "2 tasks or more wait for a worker: no more actions are accepted.",
        "There is room for more actions again.",
    ]


def test_the_database_is_not_asked_each_time(ada, ledger, monkeypatch):
    monkeypatch.setattr(services_admission, "_HOLDS", 3600.0)
    assert ask(ada).status_code == 202

    ledger.accept(A_GROUP)

    assert ask(ada).status_code == 202

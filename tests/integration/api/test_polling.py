"""GET /reports/<id> by clients that poll and wait: ETag, If-None-Match, Retry-After, Prefer: wait."""

from datetime import timedelta
from threading import Thread
from time import monotonic

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from reports.models import AsyncActionReport
from stack.process import wait_for

PATIENCE = 30.0  # seconds


def polled(client, report, etag=None, **headers):
    if etag:
        headers["If-None-Match"] = etag
    return client.get(f"/reports/{report}", headers=headers)


class TestConditionalRequests:
    def test_who_has_the_newest_version_gets_nothing(self, ada, ledger):
        report = ledger.accept()
        first = polled(ada, report)

        again = polled(ada, report, first.headers["ETag"])

        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Retry-After"):
            assert again.headers[name] == first.headers[name]
        assert "Content-Type" not in again.headers

    @pytest.mark.usefixtures("remembering")
    def test_it_costs_one_read(self, ada, ledger, django_assert_num_queries):
        report = ledger.accept()
        ledger.succeed(report, ["a row"], {"stored": 1})
        etag = polled(ada, report).headers["ETag"]

        with django_assert_num_queries(1):
            assert polled(ada, report, etag).status_code == 304

    @pytest.mark.usefixtures("remembering")
    def test_what_is_under_way_costs_as_little(self, ada, ledger, django_assert_num_queries):
        report = ledger.accept()
        etag = polled(ada, report).headers["ETag"]  # from now on, how long it takes is known

        with django_assert_num_queries(1):
            assert polled(ada, report, etag).status_code == 304

    def test_every_change_is_another_version(self, ada, ledger):
        report = ledger.accept()
        steps = [
            lambda: ledger.succeed(report, ["a row"]),
            lambda: ledger.put_off(report),
            lambda: ledger.fail(report),
            lambda: ledger.resume(report),
            lambda: ledger.cancel(report),
            lambda: ledger.resume(report),
            lambda: ledger.succeed(report, {"stored": 1}),
        ]
        seen = [polled(ada, report)]
        for step in steps:
            step()
            seen.append(polled(ada, report, seen[-1].headers["ETag"]))

        # The attempt that was put off is the task's business, and shows in the action's report by nothing.
        assert [response.status_code for response in seen] == [200, 200, 304, 200, 200, 200, 200, 200]
        etags = [response.headers["ETag"] for response in seen if response.status_code == 200]
        assert len(set(etags)) == len(etags)

    def test_a_task_s_report_has_versions_as_well(self, ada, ledger):
        report = ledger.accept()
        task = AsyncActionReport.objects.get(root=report, position=0, kind="task").id
        first = polled(ada, task)
        assert polled(ada, task, first.headers["ETag"]).status_code == 304

        ledger.succeed(report, ["a row"])

        second = polled(ada, task, first.headers["ETag"])
        assert (second.status_code, second.json()["result"]) == (200, ["a row"])
        assert polled(ada, task, second.headers["ETag"]).status_code == 304

    def test_who_may_see_more_has_another_version(self, ada, client_of, ledger):
        report = ledger.accept()
        ledger.fail(report)
        operator = client_of("operator")
        operator.user.user_permissions.add(Permission.objects.get(codename="read_all_reports"))

        ours, theirs = (polled(client, report).headers["ETag"] for client in (ada, operator))

        assert ours != theirs
        assert polled(operator, report, ours).status_code == 200
        assert polled(ada, report, theirs).status_code == 200

    @pytest.mark.parametrize("known", ["*", 'W/{}, "other"', '"other", {}', "{},{}"])
    def test_lists_stars_and_weak_tags(self, ada, ledger, known):
        report = ledger.accept()
        etag = polled(ada, report).headers["ETag"]

        assert polled(ada, report, known.replace("{}", etag)).status_code == 304

    def test_head_is_the_same(self, ada, ledger):
        report = ledger.accept()
        etag = ada.head(f"/reports/{report}").headers["ETag"]

        assert ada.head(f"/reports/{report}", headers={"If-None-Match": etag}).status_code == 304

    def test_another_s_report_is_not_even_unchanged(self, ada, bob, ledger):
        report = ledger.accept()
        etag = polled(ada, report).headers["ETag"]

        assert polled(bob, report, etag).status_code == polled(bob, report, "*").status_code == 404


class TestRetryAfter:
    def finish(self, ledger, *, seconds):
        report = ledger.accept()
        ledger.succeed(report, 1, 2)
        row = AsyncActionReport.objects.get(id=report)
        finished = row.created_at + timedelta(seconds=seconds)
        AsyncActionReport.objects.filter(id=report).update(finished_at=finished)

    def test_it_is_how_long_the_action_usually_takes(self, ada, ledger):
        self.finish(ledger, seconds=25)

        response = polled(ada, ledger.accept())

        assert response.headers["Retry-After"] in ("24", "25")

    def test_the_answer_to_a_request_knows_it_too(self, ada, ledger):
        self.finish(ledger, seconds=25)

        response = ada.post("/actions/sync-invoices", {"customer_id": "cus_ada"}, content_type="application/json")

        assert response.headers["Retry-After"] in ("24", "25")

    def test_a_client_s_own_actions_tell_alone(self, bob, ledger):
        self.finish(ledger, seconds=25)

        assert polled(bob, ledger.accept(owner=bob.user.pk)).headers["Retry-After"] == "1"

    @pytest.mark.usefixtures("remembering")
    def test_it_is_known_for_a_minute(self, ada, ledger, django_assert_num_queries):
        report = ledger.accept()
        ada.get("/reports")
        with django_assert_num_queries(2):  # the report, the latest ones
            polled(ada, report)
        with django_assert_num_queries(1):
            polled(ada, report)


class TestWaiting:
    """In the tests' own process; tests.integration.api.test_waiting_live has the real server."""

    @pytest.fixture
    def in_background(self, lookout):
        threads = []

        def begin(act):
            def run():
                try:
                    act()
                finally:
                    connection.close()

            threads.append(Thread(target=run, daemon=True))
            threads[-1].start()

        yield begin
        for thread in threads:
            thread.join(PATIENCE)

    def end_once_waited_for(self, lookout, report, end):
        assert wait_for(lambda: report in lookout._watches, PATIENCE)
        end()

    def test_the_answer_comes_when_the_report_is_final(self, ada, ledger, lookout, in_background):
        report = ledger.accept()
        in_background(lambda: self.end_once_waited_for(lookout, report, lambda: ledger.succeed(report, 1, {"n": 2})))

        response = polled(ada, report, Prefer=f"wait={PATIENCE:.0f}")

        assert (response.status_code, response.json()["status"], response.json()["result"]) == (200, "ok", {"n": 2})
        assert response.headers["Preference-Applied"] == "wait=30"
        assert "Retry-After" not in response.headers

    def test_or_when_the_time_is_over(self, ada, ledger, lookout):
        report = ledger.accept()
        begun = monotonic()

        response = polled(ada, report, Prefer="wait=1")

        assert monotonic() - begun >= 1
        assert (response.status_code, response.json()["status"]) == (200, "pending")
        assert response.headers["Preference-Applied"] == "wait=1"
        assert response.headers["Retry-After"] == "1"

    def test_the_service_has_a_longest_wait(self, ada, ledger, lookout, settings):
        settings.REQUEST_MAX_WAIT = 1.5

        response = polled(ada, ledger.accept(), Prefer="wait=3600")

        assert response.headers["Preference-Applied"] == "wait=1"

    @pytest.mark.usefixtures("remembering", "lookout")
    def test_what_is_final_is_not_waited_for(self, ada, ledger, django_assert_num_queries):
        report = ledger.accept()
        ledger.succeed(report, 1, 2)
        ada.get("/reports")

        with django_assert_num_queries(2):  # a look, the report
            response = polled(ada, report, Prefer="wait=30")

        assert (response.json()["status"], response.headers["Preference-Applied"]) == ("ok", "wait=30")

    def test_with_a_version_it_is_waited_for_the_end_as_well(self, ada, ledger, lookout, in_background):
        report = ledger.accept()
        etag = polled(ada, report).headers["ETag"]
        in_background(lambda: self.end_once_waited_for(lookout, report, lambda: ledger.succeed(report, 1, 2)))

        response = polled(ada, report, etag, Prefer="wait=30")

        assert (response.status_code, response.json()["status"]) == (200, "ok")
        unchanged = polled(ada, report, response.headers["ETag"], Prefer="wait=30")
        assert (unchanged.status_code, unchanged.headers["Preference-Applied"]) == (304, "wait=30")

    def test_unchanged_when_the_time_is_over(self, ada, ledger, lookout):
        report = ledger.accept()
        etag = polled(ada, report).headers["ETag"]

        response = polled(ada, report, etag, Prefer="wait=1")

        assert (response.status_code, response.headers["Preference-Applied"]) == (304, "wait=1")
        assert response.headers["Retry-After"] == "1"

    def test_where_all_places_are_taken_the_answer_comes_at_once(self, ada, ledger, lookout, settings):
        settings.REQUEST_MAX_WAITERS = 0
        begun = monotonic()

        response = polled(ada, ledger.accept(), Prefer="wait=30")

        assert monotonic() - begun < 15
        assert response.status_code == 200
        assert "Preference-Applied" not in response.headers
        assert response.headers["Retry-After"] == "1"

    @pytest.mark.parametrize("prefer", ["wait=soon", "wait", "respond-async", "nonsense"])
    def test_other_preferences_are_ignored(self, ada, ledger, prefer):
        response = polled(ada, ledger.accept(), Prefer=prefer)

        assert response.status_code == 200
        assert "Preference-Applied" not in response.headers

    def test_the_report_of_a_task_is_not_waited_for(self, ada, ledger):
        task = AsyncActionReport.objects.filter(root=ledger.accept(), kind="task").first()

        response = polled(ada, task.id, Prefer="wait=30")

        assert response.status_code == 200
        assert "Preference-Applied" not in response.headers

    def test_another_s_report_is_not_waited_for(self, bob, ledger, monkeypatch):
        monkeypatch.setattr("api.waiting.wait_until_final", None)

        assert polled(bob, ledger.accept(), Prefer="wait=30").status_code == 404

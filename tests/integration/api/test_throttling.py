"""How much a client may ask for, counted in a real Valkey, and what it is told about it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings as of_the_service
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from django.utils.module_loading import import_string
from knox.models import AuthToken
from redis import Redis
from rest_framework.permissions import BasePermission

from api import quotas
from api.invoices import SyncInvoicesApi
from api.quotas import Quota, take
from api.views import ThrottledView
from stack.process import wait_for
from stack.valkey import Valkey
from tests.contract.document import require_as_documented
from tests.integration.api.test_problems import problem

ACTION = "/actions/sync-invoices"


@pytest.fixture(autouse=True)
def _counting(valkey: Valkey, monkeypatch) -> Iterator[None]:
    # A machine that is busy with other tests is no Redis that is away.
    monkeypatch.setattr(quotas, "_PATIENCE", 10.0)
    monkeypatch.setattr(quotas, "_away_until", 0.0)
    quotas._script.cache_clear()
    Redis.from_url(of_the_service.REDIS_URL).flushdb()
    yield
    quotas._script.cache_clear()


@pytest.fixture
def round_trips(monkeypatch):
    """Return the commands that are sent to Redis from now on."""
    sent = []
    send = import_string("redis.connection.AbstractConnection").send_packed_command

    def note(connection, command, *args, **kwargs):
        sent.append(command)
        return send(connection, command, *args, **kwargs)

    monkeypatch.setattr("redis.connection.AbstractConnection.send_packed_command", note)
    return sent


def ask(client, body=None):
    return client.post(ACTION, body or {"customer_id": "cus_ada"}, content_type="application/json")


class TestQuotas:
    def test_as_many_as_it_says_and_no_more(self):
        quota = Quota("few", 5, 3600)

        standings = [take(quota, "ada") for _ in range(7)]

        assert [standing.taken for standing in standings] == [True] * 5 + [False] * 2
        assert [standing.left for standing in standings] == [4, 3, 2, 1, 0, 0, 0]
        # It fills up by one every twelve minutes.
        assert all(719 <= standing.wait <= 720 for standing in standings)

    def test_each_for_itself(self):
        for quota, who in ((Quota("a", 1, 60), "ada"), (Quota("a", 1, 60), "bob"), (Quota("b", 1, 60), "ada")):
            assert take(quota, who).taken
            assert not take(quota, who).taken

    def test_it_fills_up_again(self):
        quota = Quota("quick", 2, 1)
        while take(quota, "ada").taken:
            pass

        assert wait_for(lambda: take(quota, "ada").taken, 5)

    def test_a_refusal_costs_nothing(self):
        quota = Quota("quick", 1, 1)
        assert take(quota, "ada").taken
        for _ in range(50):
            take(quota, "ada")

        assert wait_for(lambda: take(quota, "ada", cost=0).left == 1, 2)

    def test_one_that_was_changed_begins_anew(self):
        assert take(Quota("few", 1, 3600), "ada").taken

        assert take(Quota("few", 1, 60), "ada").taken

    def test_to_look_takes_nothing(self):
        quota = Quota("few", 2, 3600)

        assert [take(quota, "ada", cost=0).left for _ in range(3)] == [2, 2, 2]
        assert take(quota, "ada", cost=0).wait == 0
        take(quota, "ada")
        assert take(quota, "ada", cost=0).left == 1

    def test_several_at_once_or_none_of_them(self):
        quota = Quota("batch", 10, 3600)

        assert take(quota, "ada", cost=8).left == 2
        refused = take(quota, "ada", cost=3)
        assert (refused.taken, refused.left) == (False, 2)
        assert 359 <= refused.wait <= 360
        assert take(quota, "ada", cost=2).taken

    def test_redis_forgets_who_has_all_of_it_again(self):
        redis = Redis.from_url(of_the_service.REDIS_URL)

        quota = Quota("few", 10, 20)
        take(quota, "ada")

        assert 0 < redis.pttl(quota.key_of("ada")) <= 2000
        assert wait_for(lambda: redis.dbsize() == 0, 5)

    def test_one_round_trip_each(self, round_trips):
        take(Quota("few", 2, 60), "ada")
        round_trips.clear()

        take(Quota("few", 2, 60), "ada")

        assert len(round_trips) == 1


class TestClients:
    def test_every_answer_tells_what_is_left(self, ada, settings):
        settings.THROTTLE_READ, settings.THROTTLE_SUBMIT = (100, 60), (10, 3600)

        read, asked, missing = ada.get("/reports"), ask(ada), ada.get("/reports/nothing")

        assert read.headers["RateLimit-Policy"] == missing.headers["RateLimit-Policy"] == '"read";q=100;w=60'
        assert read.headers["RateLimit"] == '"read";r=99;t=1'
        assert missing.headers["RateLimit"] == '"read";r=98;t=1'
        assert asked.headers["RateLimit-Policy"] == '"submit";q=10;w=3600'
        assert asked.headers["RateLimit"] == '"submit";r=9;t=360'
        require_as_documented(asked, "sync_invoices")

    def test_who_asks_for_more_waits(self, ada, settings):
        settings.THROTTLE_SUBMIT = (2, 3600)
        assert [ask(ada).status_code for _ in range(2)] == [202, 202]

        refused = ask(ada)

        document = problem(refused, 429, "throttled")
        assert document["violated-policies"] == ["submit"]
        assert document["detail"] == f"The quota submit is 2 requests in 3,600 s. Wait for {refused['Retry-After']} s."
        assert 1790 <= int(refused.headers["Retry-After"]) <= 1800
        assert refused.headers["RateLimit"] == f'"submit";r=0;t={refused["Retry-After"]}'
        require_as_documented(refused, "sync_invoices")
        assert len(ada.get("/reports").json()["items"]) == 2

    def test_refused_before_its_body_is_looked_at(self, ada, settings):
        settings.THROTTLE_SUBMIT = (1, 3600)
        ask(ada)

        problem(ask(ada, "{"), 429, "throttled")

    def test_cancel_and_retry_are_submitted_too(self, ada, ledger, settings):
        settings.THROTTLE_SUBMIT = (1, 3600)
        report = ledger.accept()

        assert ada.post(f"/reports/{report}/cancel", content_type="application/json").status_code == 200
        problem(ada.post(f"/reports/{report}/retry", content_type="application/json"), 429, "throttled")

    def test_a_batch_counts_as_many_as_it_has_requests(self, ada, settings):
        settings.THROTTLE_SUBMIT = (5, 3600)

        def ask_for(count):
            body = {"requests": [{"parameters": {"customer_id": "cus_ada"}}] * count}
            return ada.post(f"{ACTION}/batch", body, content_type="application/json")

        assert ask_for(3).headers["RateLimit"].startswith('"submit";r=2;')
        refused = ask_for(4)

        problem(refused, 429, "throttled")
        require_as_documented(refused, "sync_invoices_batch")
        assert len(ada.get("/reports").json()["items"]) == 3
        assert ask_for(1).status_code == 200
        problem(ask(ada), 429, "throttled")

    def test_a_batch_that_no_waiting_makes_room_for_is_told_how_many_it_may_have(self, ada, settings):
        settings.THROTTLE_SUBMIT = (5, 3600)

        def ask_for(count):
            body = {"requests": [{"parameters": {"customer_id": "cus_ada"}}] * count}
            return ada.post(f"{ACTION}/batch", body, content_type="application/json")

        refused = ask_for(6)

        document = problem(refused, 422, "parameters_invalid")
        assert document["detail"] == "The quota submit is 5 requests: a batch may have no more than that."
        assert [(error["pointer"], error["code"]) for error in document["errors"]] == [("#/requests", "max_length")]
        assert "Retry-After" not in refused.headers
        assert refused.headers["RateLimit"].startswith('"submit";r=4;')  # it is one request, as any that is refused
        require_as_documented(refused, "sync_invoices_batch")
        assert ask_for(4).status_code == 200

    def test_what_they_may_not_do_is_counted_as_well(self, ada, settings, monkeypatch):
        class Nobody(BasePermission):
            def has_permission(self, request, view):
                return False

        settings.THROTTLE_SUBMIT = (2, 3600)
        monkeypatch.setattr(SyncInvoicesApi, "permission_classes", [Nobody])

        assert [ask(ada).status_code for _ in range(3)] == [403, 403, 429]

    def test_every_view_counts_first(self):
        assert all(
            issubclass(pattern.callback.cls, ThrottledView)
            for pattern in get_resolver().url_patterns
            if hasattr(getattr(pattern, "callback", None), "cls")
        )

    def test_neither_by_others_nor_by_reading(self, ada, bob, settings):
        settings.THROTTLE_SUBMIT = settings.THROTTLE_READ = (1, 3600)
        assert ask(ada).status_code == 202

        assert ada.get("/reports").status_code == 200
        assert ask(bob).status_code == 202

    def test_all_tokens_of_a_client_are_one_client_s(self, client_of, settings):
        settings.THROTTLE_READ = (1, 3600)
        first, second = client_of("ada"), client_of("ada")
        assert first.get("/reports").status_code == 200

        problem(second.get("/reports"), 429, "throttled")

    @pytest.mark.usefixtures("remembering")
    def test_a_poll_costs_one_round_trip_and_one_statement(
        self, ada, ledger, settings, round_trips, django_assert_num_queries
    ):
        settings.THROTTLE_READ = settings.THROTTLE_FAILED_AUTHENTICATIONS = (100, 60)
        report = ledger.accept()
        ada.get(f"/reports/{report}")
        round_trips.clear()

        with django_assert_num_queries(1):
            ada.get(f"/reports/{report}")

        assert len(round_trips) == 1

    def test_without_a_limit_nothing_is_counted_nor_told(self, ada, settings, round_trips):
        settings.THROTTLE_READ = None

        assert not {"RateLimit", "RateLimit-Policy"} & set(ada.get("/reports").headers)
        assert round_trips == []

    def test_public_pages_are_nobody_s(self, stranger, settings, round_trips):
        settings.THROTTLE_READ = (1, 3600)

        assert [stranger.get("/problems").status_code for _ in range(3)] == [200] * 3
        assert round_trips == []


class TestGuessing:
    def stranger(self, address, text="aat_wrong", **headers):
        return Client(headers={"Authorization": f"Bearer {text}", **headers}, REMOTE_ADDR=address)

    def test_too_many_wrong_tokens_are_refused(self, db, settings, django_assert_num_queries):
        settings.THROTTLE_FAILED_AUTHENTICATIONS = (3, 3600)
        client = self.stranger("192.0.2.1")
        for _ in range(3):
            problem(client.get("/reports"), 401, "token_invalid")

        with django_assert_num_queries(1):
            refused = client.get("/reports")

        assert problem(refused, 429, "throttled")["violated-policies"] == ["failed-authentications"]
        assert int(refused.headers["Retry-After"]) > 1190
        require_as_documented(refused, "list_reports")
        problem(self.stranger("192.0.2.2").get("/reports"), 401, "token_invalid")

    @pytest.mark.usefixtures("remembering")
    def test_whoever_has_a_token_goes_on_beside_them(self, ada, client_of, settings):
        settings.THROTTLE_FAILED_AUTHENTICATIONS = (1, 3600)
        assert ada.get("/reports").status_code == 200
        for _ in range(2):
            self.stranger("127.0.0.1").get("/reports")

        assert ada.get("/reports").status_code == 200
        settings.TOKEN_CACHE_SECONDS = 0
        assert ada.get("/reports").status_code == 200
        # Nor is who was never seen before: after a restart, that is everybody.
        assert client_of("bob").get("/reports").status_code == 200
        problem(self.stranger("127.0.0.1").get("/reports"), 429, "throttled")

    @pytest.mark.usefixtures("remembering")
    def test_a_token_that_was_revoked_or_has_expired_is_no_guess(self, ada, bob, settings):
        settings.THROTTLE_FAILED_AUTHENTICATIONS = (1, 3600)
        assert [client.get("/reports").status_code for client in (ada, bob)] == [200, 200]
        settings.TOKEN_CACHE_SECONDS = 0
        AuthToken.objects.filter(user=ada.user).delete()
        AuthToken.objects.filter(user=bob.user).update(expiry=timezone.now() - timedelta(seconds=1))

        for client in (ada, bob) * 3:
            problem(client.get("/reports"), 401, "token_invalid")
        problem(self.stranger("127.0.0.1").get("/reports"), 401, "token_invalid")

    def test_a_token_that_is_there_is_no_guess(self, ada, settings):
        settings.THROTTLE_FAILED_AUTHENTICATIONS = (1, 3600)
        ada.user.is_active = False
        ada.user.save()

        for _ in range(3):
            problem(ada.get("/reports"), 401, "token_invalid")

    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ("192.0.2.1", "192.0.2.2", False),
            ("2001:db8::1", "2001:db8::ffff:1", True),
            ("2001:db8::1", "2001:db8:0:1::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("", "nonsense", True),
        ],
    )
    def test_an_address_of_ipv6_is_one_of_many(self, db, settings, first, second, same):
        settings.THROTTLE_FAILED_AUTHENTICATIONS = (1, 3600)
        self.stranger(first).get("/reports")

        assert self.stranger(second).get("/reports").status_code == (429 if same else 401)

    @pytest.mark.parametrize(("behind", "same"), [(True, False), (False, True)])
    def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_adds(self, db, settings, behind, same):
        settings.THROTTLE_FAILED_AUTHENTICATIONS = (1, 3600)
        settings.BEHIND_PROXY = behind

        def by(address):
            return self.stranger("10.0.0.1", **{"X-Forwarded-For": f"192.0.2.99, {address}"}).get("/reports")

        by("192.0.2.1")

        assert by("192.0.2.2").status_code == (429 if same else 401)
        assert by("192.0.2.1").status_code == 429

    def test_too_many_wrong_passwords(self, db, django_user_model, settings):
        settings.THROTTLE_FAILED_LOGINS = (2, 3600)
        django_user_model.objects.create_superuser("ada", password="right")

        def log_in(password, address="192.0.2.1"):
            form = {"username": "ada", "password": password}
            return Client(REMOTE_ADDR=address).post("/admin/login/", form).status_code

        assert log_in("right") == 302
        assert [log_in("wrong") for _ in range(2)] == [200, 200]
        assert log_in("right") == 200  # the form again, with its error
        assert log_in("right", "192.0.2.2") == 302


class TestRedisAway:
    @pytest.fixture(autouse=True)
    def _limits(self, settings, monkeypatch):
        monkeypatch.setattr(quotas, "_PATIENCE", 0.25)
        monkeypatch.setattr(quotas, "_PAUSE", 60.0)
        settings.THROTTLE_READ = settings.THROTTLE_SUBMIT = settings.THROTTLE_FAILED_AUTHENTICATIONS = (1, 3600)

    @pytest.mark.parametrize("leave", [Valkey.kill, Valkey.pause], ids=["killed", "frozen"])
    def test_nobody_is_refused_and_the_log_says_so_once(self, ada, valkey, caplog, round_trips, leave):
        leave(valkey)

        assert [ada.get("/reports").status_code for _ in range(3)] == [200] * 3

        assert "RateLimit" not in ada.get("/reports").headers
        warnings = [text for text in caplog.messages if re.match("Redis does not count requests, so none", text)]
        assert len(warnings) == 1
        assert len(round_trips) <= 1

    def test_when_it_is_back_it_counts_again(self, ada, valkey, monkeypatch):
        valkey.kill()
        ada.get("/reports")
        valkey.start()
        monkeypatch.setattr(quotas, "_PATIENCE", 10.0)
        monkeypatch.setattr(quotas, "_away_until", 0.0)
        quotas._script.cache_clear()

        assert ada.get("/reports").headers["RateLimit"].startswith('"read";r=0;')
        problem(ada.get("/reports"), 429, "throttled")

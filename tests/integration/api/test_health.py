"""What load balancers and orchestrators are answered."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from reports import workers
from services import health
from services.health import Verdict
from stack.process import wait_for
from stack.readiness import status_of
from stack.web import Web
from tests.live import LiveStack

PAGES = ("/health/live", "/health/serving", "/health/ready")


@pytest.fixture(autouse=True)
def _unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what another test has found."""
    for name, check in (("serving", health.find_serving_faults), ("ready", health.find_running_faults)):
        monkeypatch.setattr(f"api.health.{name.capitalize()}Page.verdict", Verdict(name, check))


@pytest.fixture
def _worker(db: None) -> None:
    workers.show_up("one", queues=[], processes=1)


@pytest.mark.usefixtures("_worker", "valkey")
@pytest.mark.parametrize("page", PAGES)
def test_all_is_well(stranger: Client, page: str) -> None:
    answer = stranger.get(page)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-cache" in answer.headers["Cache-Control"]
    assert stranger.head(page).status_code == 200


@pytest.mark.usefixtures("valkey")
def test_a_stranger_is_not_told_what_is_wrong(stranger: Client) -> None:
    answer = stranger.get("/health/ready")  # there is no worker
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["code"] == "service_unavailable"
    assert answer.json()["detail"] == "The service is not ready."
    assert answer.headers["Retry-After"] == "5"
    assert stranger.get("/health/serving").status_code == 200


@pytest.mark.usefixtures("_worker", "valkey")
@pytest.mark.parametrize("page", PAGES)
def test_they_are_asked_without_https(stranger: Client, page: str, settings: object) -> None:
    settings.SECURE_SSL_REDIRECT = True  # type: ignore[attr-defined]
    assert stranger.get(page).status_code == 200
    assert stranger.get("/").status_code == 301


@pytest.mark.usefixtures("_worker", "valkey")
def test_a_wrong_token_does_not_matter(stranger: Client) -> None:
    assert stranger.get("/health/ready", headers={"Authorization": "Bearer aat_wrong"}).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_nothing_else_is_done_with_them(stranger: Client, page: str) -> None:
    assert stranger.post(page).json()["code"] == "method_not_allowed"


@pytest.mark.usefixtures("_worker", "valkey")
def test_many_who_ask_cost_the_database_no_more_than_one(
    stranger: Client, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        for _ in range(20):
            assert stranger.get("/health/ready").status_code == 200


def test_the_live_service_becomes_ready_and_is_not_without_its_broker_or_worker(stack: LiveStack) -> None:
    def statuses() -> list[int | None]:
        return [status_of(stack.web.port, page) for page in PAGES]

    assert wait_for(lambda: statuses() == [200, 200, 200], 30), stack.web.log_tail()
    stack.valkey.kill()
    assert wait_for(lambda: statuses() == [200, 200, 503], 30)
    assert "Not ready: the broker does not answer (" in stack.web.log_text()
    stack.valkey.start()
    assert wait_for(lambda: statuses() == [200, 200, 200], 30)
    stack.worker.stop()
    assert wait_for(lambda: statuses() == [200, 200, 503], 30)
    assert "Not ready: no worker is alive, and so no recovery." in stack.web.log_text()


@pytest.fixture
def web_without_tables(tmp_path: Path, valkey: object) -> Iterator[Web]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    with Web({**environment, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}, log=tmp_path / "web.log") as web:
        yield web


@pytest.mark.once
def test_an_empty_database_serves_nobody(web_without_tables: Web) -> None:
    port = web_without_tables.port
    assert [status_of(port, page) for page in PAGES] == [200, 503, 503]
    assert "Not serving: migrations are not applied (" in web_without_tables.log_text()
    assert str(settings.BASE_DIR) not in web_without_tables.log_text()

"""A team's actions in a package of its own, outside the source tree: the service runs them unforked."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import yaml
from django.conf import settings

from stack.process import wait_for
from stack.valkey import Valkey
from stack.web import Web
from stack.worker import Worker

PACKAGE = {
    "greetings/__init__.py": "",
    "greetings/models.py": """
        from django.db import models

        class Greeting(models.Model):
            text = models.TextField()
        """,
    "greetings/services.py": """
        from greetings.models import Greeting

        def greeting_for(name: str) -> str:
            return f"Hello, {name}!"

        def store_greeting(text: str) -> dict[str, object]:
            Greeting.objects.create(text=text)
            return {"text": text, "stored": Greeting.objects.count()}
        """,
    "greetings/tasks.py": """
        import time

        from celery import shared_task

        from greetings import services
        from tasks.chainable import chainable

        @shared_task(name="greetings.write")
        def __write_greeting(name):
            return services.greeting_for(name)

        @shared_task(name="greetings.store")
        def __store_greeting(text):
            return services.store_greeting(text)

        @chainable
        def greet(name):
            return __write_greeting.si(name), __store_greeting.s()

        @shared_task(name="greetings.ponder", bind=True)
        def __ponder(self):
            while True:
                self.raise_if_cancelled()
                time.sleep(0.05)

        @chainable
        def ponder_greeting():
            return __ponder.si(), __store_greeting.s()
        """,
    "greetings/api.py": '''
        from rest_framework import serializers

        from api.actions import ActionApi
        from greetings.tasks import greet, ponder_greeting

        class GreetApi(ActionApi):
            """Greet somebody."""

            name = "greet"
            canvas = greet

            class InputSerializer(serializers.Serializer):
                name = serializers.CharField(max_length=100)

            class OutputSerializer(serializers.Serializer):
                text = serializers.CharField()
                stored = serializers.IntegerField()

        class PonderGreetingApi(ActionApi):
            """Think of a greeting, for half a second at most."""

            name = "ponder-greeting"
            canvas = ponder_greeting
            time_budget = 0.5

            class InputSerializer(serializers.Serializer):
                pass

            class OutputSerializer(serializers.Serializer):
                text = serializers.CharField()
        ''',
}


def package_in(folder: Path) -> Path:
    """Write the team's package to the folder."""
    for name, text in PACKAGE.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return folder


def environment_of(package: Path) -> Mapping[str, str]:
    """Return the environment of a service that has the package, a database of its own and a queue of its own."""
    return {
        **os.environ,
        "PYTHONPATH": str(package),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ACTION_MODULES": "greetings.api",
        "ACTION_APPS": "greetings",
        "DATABASE_URL": f"sqlite:///{package}.sqlite3",
        "BROKER_URL": os.environ["BROKER_URL"].removesuffix("/0") + "/2",
    }


def manage(environment: Mapping[str, str], *command: str) -> str:
    """Run a management command as an operator does, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def service(session_valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a client of a running service that has the package; both tests of it take the same."""
    if not session_valkey.is_running:  # another module's last test has ended it
        session_valkey.start()
    folder = tmp_path_factory.mktemp("service")
    environment = environment_of(package_in(folder / "team"))
    manage(environment, "makemigrations", "greetings")
    manage(environment, "migrate")
    token = manage(environment, "create_token", "team")
    with (
        Web(environment, log=folder / "web.log") as web,
        Worker(environment, log=folder / "worker.log"),
        httpx.Client(base_url=web.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def team(service: httpx.Client, valkey: object) -> httpx.Client:
    """Return a client of a running service that has the package, and a broker that runs."""
    return service


def test_its_actions_run(team: httpx.Client) -> None:
    action, other = team.get("/actions").json()["items"]
    assert other["name"] == "ponder-greeting"
    assert (action["name"], action["description"]) == ("greet", "Greet somebody.")

    accepted = team.post(action["url"], json={"name": "Ada"})
    assert accepted.status_code == 202, accepted.text
    report: dict = {}
    assert wait_for(lambda: has_come_to("ok", report, team, accepted.headers["Location"]), 20), report

    assert report["result"] == {"text": "Hello, Ada!", "stored": 1}
    assert team.post(action["url"], json={"nmae": "Ada"}).status_code == 422
    assert team.post("/actions/sync-invoices", json={}).json()["code"] == "action_not_found"
    document = yaml.safe_load(team.get("/openapi.yaml").text)
    assert "GreetReport" in document["components"]["schemas"]


def test_an_action_beyond_its_time_budget_fails_and_its_task_is_told(team: httpx.Client) -> None:
    accepted = team.post("/actions/ponder-greeting", json={})
    assert accepted.json()["deadline_at"] is None
    report: dict = {}

    assert wait_for(lambda: has_come_to("failed", report, team, accepted.headers["Location"]), 20), report

    assert report["error"]["code"] == "timed_out"
    assert report["error"]["message"] == "ponder-greeting ran longer than its time budget."
    assert report["finished_at"] >= report["deadline_at"] > report["started_at"]
    ponder, store = team.get(report["links"]["tasks"]).json()["items"]
    assert wait_for(lambda: has_come_to("cancelled", ponder, team, ponder["links"]["self"]), 20), ponder
    assert (store["status"], store["attempts"]) == ("cancelled", 0)


def has_come_to(status: str, report: dict, client: httpx.Client, url: str) -> bool:
    report.update(client.get(url).json())
    return report["status"] == status


WEB = ["-c", "import config.wsgi"]
WORKER = ["-m", "celery", "-A", "config", "worker", "--pool", "solo"]
NAMED = (
    "api.py",
    ('name = "greet"', 'name = "Greet"'),
    (
        'greetings.api.GreetApi: give it a name of lower-case words with hyphens, such as name = "sync-invoices",'
        " not 'Greet'."
    ),
)
TWICE = (
    "tasks.py",
    ("greetings.store", "greetings.write"),
    (
        "Task name 'greetings.write' is already registered to a different callable."
        " Give greetings.tasks.__store_greeting or greetings.tasks.__write_greeting another name."
    ),
)


@pytest.mark.parametrize(
    ("command", "declared"),
    [(WEB, NAMED), (WORKER, NAMED), (WEB, TWICE), (WORKER, TWICE)],
    ids=["web", "worker", "web, a task", "worker, a task"],
)
def test_a_wrong_declaration_stops_the_start_with_a_line_that_says_what_to_change(
    tmp_path: Path, command: list[str], declared: tuple[str, tuple[str, str], str]
) -> None:
    package = package_in(tmp_path / "team")
    file, change, line = declared
    module = package / "greetings" / file
    module.write_text(module.read_text().replace(*change))

    done = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=environment_of(package),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"async-actions cannot start: {line}"

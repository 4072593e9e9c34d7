"""The whole service, live: real processes, which use the same database and broker as the test."""

import os
from collections.abc import Mapping
from pathlib import Path

import httpx
from django.contrib.auth import get_user_model
from knox.models import AuthToken

from stack.assembly import Stack
from stack.rabbitmq import RabbitMQ
from stack.sandbox import SandboxServer
from stack.valkey import Valkey
from stack.web import Web
from stack.worker import Worker


class LiveStack:
    """A web server, a worker and a sandbox InvoicesPlus on the test's broker and database.

    The broker is the Valkey, unless there is a ``rabbitmq``.
    """

    def __init__(  # noqa: PLR0913  each has a part of its own
        self,
        valkey: Valkey,
        database_url: str,
        logs: Path,
        environment: Mapping[str, str],
        *,
        rabbitmq: RabbitMQ | None = None,
        web_processes: int = 1,
    ) -> None:
        self.logs = logs
        self.valkey = valkey
        self.broker = rabbitmq or valkey
        self.database_url = database_url
        self.sandbox = SandboxServer(os.environ, log=logs / "sandbox.log")
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",  # the tests' own would make a database of their own
            "INVOICES_PLUS_URL": self.sandbox.url,
            **({"BROKER_URL": rabbitmq.url} if rabbitmq else {}),
            **environment,
        }
        self.web = Web(self.environment, log=logs / "web.log", processes=web_processes)
        self.worker = Worker(self.environment, log=logs / "worker.log")
        brokers = [valkey, rabbitmq] if rabbitmq else [valkey]
        self._stack = Stack([*brokers, self.sandbox], [self.web, self.worker])
        self._more_workers: list[Worker] = []

    @property
    def url(self) -> str:
        """Where the web server answers."""
        return self.web.url

    def token(self, username: str = "client") -> str:
        """Return a new token of the client, who is made if need be."""
        user, _ = get_user_model().objects.get_or_create(username=username)
        _, token = AuthToken.objects.create(user)
        return token

    def client(self, username: str = "client") -> httpx.Client:
        """Return an HTTP client that is authenticated as ``username``. Close it, or use it as a context."""
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token(username)}"}, timeout=30, trust_env=False
        )

    def add_worker(self, environment: Mapping[str, str] | None = None, *, processes: int = 2) -> Worker:
        """Start one more worker, which ends with the test."""
        name = f"worker{len(self._more_workers) + 2}"
        worker = Worker(
            {**self.environment, **(environment or {})},
            log=self.logs / f"{name}.log",
            name=name,
            processes=processes,
        )
        self._more_workers.append(worker)
        worker.start()
        return worker

    def start(self) -> None:
        """Start what does not run, and go on with what is paused."""
        for service in self._stack.services:
            if service.is_running:
                service.resume()
        self._stack.start()

    def dismiss_more_workers(self) -> None:
        """End the workers that a test added."""
        while self._more_workers:
            self._more_workers.pop().kill()

    def stop(self) -> None:
        """End everything but the broker, which is the test process's own."""
        self.dismiss_more_workers()
        for service in (self.worker, self.web, self.sandbox):
            service.stop()

"""The service as it is deployed, on this machine: several of each, on servers of their own."""

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import redis

from chaos.parts import Part
from chaos.watch import Watch
from stack.assembly import Stack
from stack.postgres import Postgres
from stack.process import Service
from stack.rabbitmq import RabbitMQ
from stack.valkey import Valkey
from stack.web import Web
from stack.worker import Worker

BROKERS = ("valkey", "rabbitmq")
QUEUE = "chaos"
LEASE = 5.0
#: The same promises as in production, kept sooner. Seconds.
_RECOVERY = {
    "RECOVERY_INTERVAL": "0.5",
    "RECOVERY_HEARTBEAT_INTERVAL": "1",
    "RECOVERY_LEASE": f"{LEASE:g}",
    "RECOVERY_REPUBLISH_AFTER": "2",
    "RECOVERY_REPUBLISH_MAX": "4",
}
_DATABASE = "async_actions"
_OBSERVER = "observer"
_WEBS = 2
_WORKERS = 3
# The service's own, without an observer's.
_CONNECTIONS = (
    f"FROM pg_stat_activity WHERE datname = '{_DATABASE}' AND application_name <> '{_OBSERVER}' AND client_port > 0"
)
_SECRET_KEY = secrets.token_urlsafe(64)
_PATIENCE = 2  # seconds


class Deployment:
    """PostgreSQL, a broker, web servers and workers."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder = folder
        self.logs = logs = folder / "logs"
        self.postgres = Postgres(folder / "postgres", log=logs / "postgres.log")
        self.valkey = Valkey(folder / "valkey", log=logs / "valkey.log")
        self.rabbitmq = RabbitMQ(folder / "rabbitmq", log=logs / "rabbitmq.log") if broker == "rabbitmq" else None
        environment = self._environment(_DATABASE)
        self.webs = [Web(environment, log=logs / f"web{n}.log") for n in range(_WEBS)]
        self.workers = [Worker(environment, log=logs / f"worker{n}.log", name=f"worker{n}") for n in range(_WORKERS)]
        self.watch = Watch([worker.name for worker in self.workers])
        self._servers: list[Service] = [self.postgres, self.broker]
        if self.rabbitmq:
            self._servers.append(self.valkey)
        self._stack = Stack(self._servers, [*self.webs, *self.workers])
        self.parts = {service: Part(service, self.watch) for service in self._stack.services}

    @property
    def broker(self) -> Valkey | RabbitMQ:
        """What carries the messages."""
        return self.rabbitmq or self.valkey

    @property
    def observer_environment(self) -> Mapping[str, str]:
        """The environment of a process that observes: its connections to the database are left alone."""
        return self._environment(f"{_DATABASE}?application_name={_OBSERVER}")

    def start_servers(self) -> None:
        """Start what keeps data, with an empty database."""
        Stack(self._servers).start()
        self.postgres.create_database(_DATABASE)

    def start(self) -> None:
        """Start all that does not run yet."""
        self._stack.start()

    def stop(self) -> None:
        """End the web servers and workers, which finish what they execute."""
        Stack([*self.webs, *self.workers]).stop()

    def kill(self) -> None:
        """End everything at once."""
        self._stack.kill()

    def wipe_broker(self) -> bool:
        """Have the broker forget every message. Returns whether it was there to be told."""
        try:
            self.broker.forget(QUEUE)
        except (OSError, redis.RedisError):
            return False
        return True

    def cut_connection(self, number: int) -> bool:
        """Break one of the service's connections to the database, counted round. Returns whether there was one."""
        found = self._administer(f"SELECT pid, client_port {_CONNECTIONS} ORDER BY pid")
        if not found:
            return False
        pid, port = found[number % len(found)]
        owner = next((worker for worker in self.workers if port in _ports_of(worker)), None)
        if owner:  # its main process, where recovery is at work
            self.watch.flicker(owner.name, time.monotonic())
        return bool(self._administer(f"SELECT pg_terminate_backend(pid) {_CONNECTIONS} AND pid = %s", pid))

    def cut_connections(self) -> bool:
        """Break all of the service's connections to the database. Returns whether there were any."""
        self.watch.flicker("connections", time.monotonic())
        return bool(self._administer(f"SELECT pg_terminate_backend(pid) {_CONNECTIONS}"))

    def children_of(self, worker: Service) -> list[int]:
        """Return the processes of a worker's pool."""
        try:
            return sorted(child.pid for child in psutil.Process(worker.pid).children())
        except psutil.NoSuchProcess:
            return []

    def _administer(self, statement: LiteralString, *values: int) -> list[tuple[int, ...]]:
        address = self.postgres.url("postgres")
        try:
            with psycopg.connect(address, autocommit=True, connect_timeout=_PATIENCE) as administrator:
                return administrator.execute(statement, values).fetchall()
        except psycopg.OperationalError:
            return []

    def _environment(self, database: str) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": _SECRET_KEY,
            "DEBUG": "0",
            "HTTPS": "0",
            "VAR_DIR": str(self.folder),
            "DATABASE_URL": self.postgres.url(database),
            "BROKER_URL": self.rabbitmq.url if self.rabbitmq else self.valkey.url(0),
            "REDIS_URL": self.valkey.url(1),
            "TASK_DEFAULT_QUEUE": QUEUE,
            "ACTION_MODULES": "chaos.api",
            "PYTHONFAULTHANDLER": "1",
            **_RECOVERY,
        }


def _ports_of(worker: Service) -> set[int]:
    try:
        return {c.laddr.port for c in psutil.Process(worker.pid).net_connections() if c.laddr}
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()

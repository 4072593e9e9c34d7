"""What a client of each contestant sends, and what it is answered."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from benchmarks.contestants import Contestant
from benchmarks.load import request

_FINAL = frozenset({"ok", "failed", "cancelled", "SUCCESS", "FAILURE"})
_PATIENCE = 120.0


@dataclass(frozen=True)
class Client:
    """A client with its headers. Each request of its load has an idempotency key of its own where ``has_keys``."""

    port: int
    headers: dict[str, str]
    has_keys: bool = False

    def poll(self, path: str) -> str:
        """Return the request for a report."""
        return request("GET", path, headers=self.headers)

    def poll_unchanged(self, path: str, etag: str) -> str:
        """Return the request for a report that the client has."""
        return request("GET", path, headers={**self.headers, "If-None-Match": etag})

    def accept(self, path: str = "/actions/pair", parameters: dict[str, Any] | None = None) -> str:
        """Return the request for an action, ``{n}`` in it being its number."""
        key = {"Idempotency-Key": f'"{uuid4()}-{{n}}"'} if self.has_keys else {}
        return request("POST", path, headers={**self.headers, **key}, body=json.dumps(parameters or {"number": 7}))


class Connection:
    """One connection that asks one thing after another."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._http = http.client.HTTPConnection("127.0.0.1", client.port)

    def get(self, path: str) -> Any:
        """Return the JSON that is there."""
        return self._ask("GET", path)[0]

    def etag_of(self, path: str) -> str | None:
        """Return the entity tag of what is there."""
        return self._ask("GET", path)[1]

    def post(self, path: str, parameters: dict[str, Any], **headers: str) -> Any:
        """Return the JSON that a POST is answered with."""
        return self._ask("POST", path, parameters, headers)[0]

    def wait_final(self, path: str, *, interval: float = 0.002) -> Any:
        """Poll until the report is final. Raises TimeoutError."""
        deadline = time.monotonic() + _PATIENCE
        while (report := self.get(path))["status"] not in _FINAL:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is {report['status']} still.")
            time.sleep(interval)
        return report

    def _ask(
        self, method: str, path: str, parameters: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[Any, str | None]:
        body = None if parameters is None else json.dumps(parameters)
        sent = {**self._client.headers, **(headers or {}), **({"Content-Type": "application/json"} if body else {})}
        self._http.request(method, path, body=body, headers=sent)
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return json.loads(content), answer.getheader("ETag")


def client_of(contestant: Contestant) -> Client:
    """Return a client that the contestant knows."""
    if contestant.name == "floor":
        return Client(contestant.web.port, {})
    if contestant.environment["DJANGO_SETTINGS_MODULE"] == "config.settings":
        token = contestant.manage("create_token", "client-1")
        return Client(contestant.web.port, {"Authorization": f"Bearer {token}"}, has_keys=True)
    token = contestant.manage(code=_TOKEN)
    return Client(contestant.web.port, {"Authorization": f"Token {token}"})


def finished_reports(contestant: Contestant, client: Client, count: int = 50) -> list[str]:
    """Have actions run, and return the paths of their reports."""
    if contestant.name == "floor":
        return [f"/reports/{id_}" for id_ in contestant.manage(code=_FLOOR_REPORTS.format(count=count)).split()]
    connection = Connection(client)
    ids = [connection.post("/actions/pair", {"number": 7})["id"] for _ in range(count)]
    paths = [f"/reports/{id_}" for id_ in ids]
    for path in paths:
        connection.wait_final(path)
    return paths


_TOKEN = """
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token
print(Token.objects.create(user=get_user_model().objects.create(username="client")).key)
"""  # noqa: S105
_FLOOR_REPORTS = """
from django.db import connection
cursor = connection.cursor()
cursor.execute(\"\"\"
    INSERT INTO report (id, root_id, position, action, task, status, parameters, result, tasks_total, tasks_ok,
        started_at, finished_at)
    SELECT id, id, 0, 'pair', '', 'ok', '{{"number": 7}}', '7', 2, 2, now(), now()
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {count})) ids RETURNING id
\"\"\")
print(*(row[0] for row in cursor.fetchall()))
"""

"""What ``benchmarks.shares`` runs, with servers of its own: profiles, and what they come to."""

import io
import sys
import time
from collections.abc import Callable, Sequence
from cProfile import Profile
from dataclasses import dataclass
from itertools import count
from pstats import Stats
from typing import Any

import django
from django.core.management import call_command

django.setup()

from config.wsgi import application  # noqa: E402  Django has to be set up
from reports.models import AsyncActionReport  # noqa: E402
from testing.delivery import deliver  # noqa: E402

TIMES = 1000


@dataclass(frozen=True)
class Part:
    """Some functions, by the end of their file and their name. ``less`` is what they call and is no part of it."""

    name: str
    functions: Sequence[tuple[str, str]]
    less: Sequence[str] = ()


_DISPATCH = ("rest_framework/views.py", "dispatch")
_AUTHENTICATION = Part("authentication", [("api/authentication.py", "authenticate")])
_QUOTA = Part("quota", [("api/throttling.py", "allow_request")])
_STATEMENT = Part("statement", [("django/db/backends/utils.py", "execute"), ("psycopg/cursor.py", "fetchall")])
_PUBLISHING = Part("publishing", [("services/dispatch.py", "publish")])
_READING = [
    Part("DRF's own and the view's", [_DISPATCH], ("authentication", "quota", "statement", "report and its version")),
    _AUTHENTICATION,
    _QUOTA,
    _STATEMENT,
    Part("report and its version", [("reports/selectors.py", "report_of"), ("api/conditions.py", "etag_of")]),
]
_ACCEPTING = [
    Part(
        "DRF's own and the view's",
        [_DISPATCH],
        ("authentication", "quota", "validation and plan", "ledger", "publishing", "answer"),
    ),
    _AUTHENTICATION,
    _QUOTA,
    Part("validation and plan", [("api/actions.py", "understood")]),
    Part("ledger", [("reports/acceptance.py", "accept_all"), ("django/db/transaction.py", "__exit__")]),
    _PUBLISHING,
    Part("answer", [("api/answers.py", "respond_submitted")]),
]
_EXECUTING = [
    Part(
        "the base task's own", [("tasks/base.py", "__call__")], ("claim", "result and hand-over", "publishing", "seen")
    ),
    Part("claim", [("reports/claiming.py", "claim")]),
    Part("result and hand-over", [("reports/execution.py", "succeed")]),
    _PUBLISHING,
    Part("seen", [("tasks/observation.py", "observe")]),
]


def main() -> int:
    """Print a table for each thing that is done all the time."""
    call_command("migrate", verbosity=0)
    said = io.StringIO()
    call_command("create_token", "ada", stdout=said, stderr=io.StringIO())
    token = said.getvalue().split()[-1]
    numbers = count()

    def accept() -> dict[str, str]:
        return _call(token, "POST", "/actions/pair", b'{"number": 7}', HTTP_IDEMPOTENCY_KEY=f'"{next(numbers)}"')

    path = accept()["Location"]
    etag = _call(token, "GET", path)["ETag"]
    _show("Poll, 200", lambda: _call(token, "GET", path), _READING, rest="server, middleware and routes")
    _show(
        "Poll, 304",
        lambda: _call(token, "GET", path, HTTP_IF_NONE_MATCH=etag),
        _READING,
        rest="server, middleware and routes",
    )
    _show("Accept", accept, _ACCEPTING, rest="server, middleware and routes")
    tasks = iter(AsyncActionReport.objects.filter(kind="task").order_by("id").values_list("task", "id").iterator())
    _show("Task", lambda: deliver(*map(str, next(tasks))), _EXECUTING, rest="Celery's tracer")
    return 0


def _call(token: str, method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, str]:
    """Have the WSGI application answer. Returns the headers. Raises RuntimeError for a status of 400 or more."""
    started: list[Any] = []
    environment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        **({"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))} if body else {}),
        **headers,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    answer = application(environment, lambda *start: started.extend(start))
    text = b"".join(answer)
    answer.close()
    if not started[0].startswith(("2", "3")):
        raise RuntimeError(f"{method} {path}: {started[0]} {text!r}")
    return dict(started[1])


def _show(what: str, act: Callable[[], object], parts: Sequence[Part], *, rest: str) -> None:
    for _ in range(100):
        act()
    began = time.process_time()
    for _ in range(TIMES):
        act()
    milliseconds = (time.process_time() - began) / TIMES * 1000
    profile = Profile(time.process_time)
    profile.enable()
    for _ in range(TIMES):
        act()
    profile.disable()
    stats = Stats(profile)
    total = stats.total_tt  # type: ignore[attr-defined]  # its types leave it out
    shares = {part.name: sum(_seconds(stats, *function) for function in part.functions) / total for part in parts}
    outermost = shares[parts[0].name]
    for part in parts:
        shares[part.name] -= sum(shares[name] for name in part.less)
    print(f"\n{what}: {milliseconds:.2f} ms")
    for name, share in (shares | {rest: 1 - outermost}).items():
        print(f"  {name:32} {share:5.0%}")


def _seconds(stats: Stats, file: str, name: str) -> float:
    found = [
        cumulative
        for (path, _, function), (_, _, _, cumulative, _) in stats.stats.items()  # type: ignore[attr-defined]
        if path.endswith(file) and function == name
    ]
    if not found:
        raise LookupError(f"Nothing has called {name} of {file}: it has another name by now.")
    return float(sum(found))


if __name__ == "__main__":
    sys.exit(main())

"""How the service's processes start: with what their environment says, or not at all and with a line that says why."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from stack.configuration import ROOT

pytestmark = pytest.mark.once

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "long-enough-and-random-enough-for-the-checks-of-a-deployment-9f3k2",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}
_PROCESSES = {
    "manage.py": ["manage.py", "check"],
    "worker": ["-m", "celery", "-A", "config", "worker"],
    "web": ["-m", "granian", "--interface", "wsgi", "--port", "0", "config.wsgi:application"],
}


def start(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**_ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("process", _PROCESSES)
@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set. Give the service"),
        ("BROKER_URL", "kafka://somewhere", "BROKER_URL is not an address that is supported here. Use one that starts"),
        ("ACTION_MODULES", "nobody.actions", "ACTION_MODULES names nobody.actions, and there is no package nobody."),
        ("ACTION_MODULES", "api.nothing", "ACTION_MODULES names api.nothing, and there is no module api.nothing."),
        ("ACTION_APPS", "nobody", "ACTION_APPS names nobody, and there is no package nobody."),
        ("RECOVERY_REPUBLISH_AFTER", "0", "RECOVERY_REPUBLISH_AFTER is not above 0. Give it seconds."),
        ("REQUEST_MAX_WAITERS", "-1", "REQUEST_MAX_WAITERS is not from 0 to 2147483648. Give it"),
        (
            "REQUEST_MAX_WAITERS",
            "1",
            "REQUEST_MAX_WAITERS leaves no 32 of a web process's threads to others. Set GRANIAN",
        ),
        ("RECOVERY_INTERVAL", "6", "RECOVERY_INTERVAL is longer than RECOVERY_HEARTBEAT_INTERVAL, and heartbeats are"),
        ("RECOVERY_LEASE", "9", "RECOVERY_LEASE is not two RECOVERY_HEARTBEAT_INTERVALs long. Make it several of"),
        (
            "REPORT_RETENTION_DAYS_BY_ACTION",
            '{"a": "b"}',
            "REPORT_RETENTION_DAYS_BY_ACTION is not days by action, such",
        ),
        ("JOURNAL_RETENTION_DAYS", "-1", "JOURNAL_RETENTION_DAYS is below 0. Give it days, or 0 to keep"),
    ],
)
def test_a_wrong_setting_stops_every_process_with_one_line(
    process: str, variable: str, value: str, advice: str
) -> None:
    refused = start(_PROCESSES[process], {variable: value})
    assert refused.returncode != 0
    ours = [line for line in refused.stdout.splitlines() if not line.startswith("[")]  # the rest is Granian's
    assert len(ours) == 1, refused.stdout
    assert ours[0].startswith(f"async-actions cannot start: {advice}")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEBUG", "tru"),
        ("HTTPS", ""),
        ("DATABASE_URL", "mysql://localhost/actions"),
        ("DATABASE_URL", "postgres://localhost"),
        ("DATABASE_URL", "postgres://user:secret@host:port/actions"),
        ("BROKER_URL", "localhost:6379"),
        ("BROKER_URL", "redis://"),
        ("BROKER_URL", "redis://user:secret@localhost:99999/0"),
        ("REDIS_URL", "amqp://localhost"),
        ("RECOVERY_LEASE", "soon"),
        ("REPORT_MAX_TASKS", "1.5"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_TOKEN", "a-secret"),
        ("METRICS_WORKER_ADDRESS", "9464"),
        ("METRICS_WORKER_ADDRESS", "127.0.0.1:9464"),  # nobody could read it: there is no token
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret@collector:4318"),
        ("OTEL_SDK_DISABLED", "perhaps"),
        ("TOKEN_CACHE_SECONDS", "soon"),
        ("THROTTLE_READ", "10/fortnight"),
        ("THROTTLE_SUBMIT", "0/minute"),
        ("RESTRICTED_ACTIONS", "sync-invoices,nothing"),
    ],
)
def test_a_value_that_cannot_be_understood_is_refused_by_name(variable: str, value: str) -> None:
    refused = start(_PROCESSES["manage.py"], {variable: value})
    assert refused.returncode != 0
    assert refused.stdout.count("\n") == 1
    assert refused.stdout.startswith(f"async-actions cannot start: {variable} ")
    assert "secret" not in refused.stdout


def test_the_defaults_are_fit_for_production() -> None:
    checked = start(["manage.py", "check", "--deploy", "--fail-level", "WARNING"], {})
    assert checked.returncode == 0, checked.stdout


def test_what_sends_spans_is_not_even_imported_where_no_collector_is_configured() -> None:
    own = "{'services.telemetry', 'opentelemetry.exporter'}"
    program = f"import config.wsgi, sys; print(*sorted({own} & sys.modules.keys()))"
    assert start(["-c", program], {}).stdout == "\n"
    configured = start(["-c", program], {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert configured.stdout == "opentelemetry.exporter services.telemetry\n"


def test_a_collector_without_opentelemetry_stops_the_start() -> None:
    program = (
        "import importlib.util as util; real = util.find_spec;"
        " util.find_spec = lambda name, *rest: None if name == 'opentelemetry' else real(name, *rest);"
        " import config.wsgi"
    )
    refused = start(["-c", program], {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert refused.returncode == 1
    assert refused.stdout.startswith("async-actions cannot start: OTEL_EXPORTER_OTLP_ENDPOINT is set, and Open")

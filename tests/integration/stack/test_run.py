"""`make run`, the README's first command, as a person at a terminal uses it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from stack.configuration import ROOT
from stack.ports import LOCALHOST, Port
from stack.postgres import Postgres
from stack.process import wait_for
from stack.rabbitmq import RabbitMQ
from stack.valkey import Valkey

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]

# Gives the command a terminal of its own; what is written to its standard input are keys that are pressed there.
_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
_CTRL_C = b"\x03"
_OWN = ("DATABASE_URL", "BROKER_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")


class Run:
    """One `make run` in a terminal, with a folder of its own for its data."""

    def __init__(self, var: Path, **environment: str) -> None:
        port = Port.any()
        self.var = var
        self.url = f"http://{LOCALHOST}:{port.number}"
        # What the tests' settings have set is not what a person's shell has.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RECOVERY_", *_OWN))}
        self._environment = {**inherited, "VAR_DIR": str(var), "PORT": str(port.number), **environment}
        self._output = var.with_suffix(".out")
        self.started = time.monotonic()
        with self._output.open("wb") as output:
            self._terminal = subprocess.Popen(
                [sys.executable, "-c", _TERMINAL, "make", "--no-print-directory", "run"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """All that the terminal shows, without its colours."""
        return re.sub(r"\x1b\[[0-9]*m|\r", "", self._output.read_text())

    def wait_until_serving(self) -> "Run":
        assert wait_for(lambda: "Serving until Ctrl-C." in self.output or self.has_ended(), 200), self.output
        assert not self.has_ended(), self.output
        return self

    def press_ctrl_c(self) -> None:
        self._terminal.stdin.write(_CTRL_C)
        self._terminal.stdin.flush()

    def has_ended(self) -> bool:
        return self._terminal.poll() is not None

    def wait_for_end(self) -> int:
        """Return the exit code that `make` gave the shell."""
        return self._terminal.wait(60)

    def supervisor(self) -> psutil.Process:
        return next(process for process in self.processes() if "stack.run" in process.cmdline())

    def processes(self) -> list[psutil.Process]:
        """Return every process that was started by it, however far down, by the folder they all know."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("VAR_DIR") == str(self.var) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue
        return [process for process in found if process.pid != self._terminal.pid]

    def end(self) -> None:
        if not self.has_ended():
            self.press_ctrl_c()
            with suppress(subprocess.TimeoutExpired):
                self._terminal.wait(30)
        # The broker shows no environment: what does not end by itself takes its guard with it, so this comes last.
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._terminal.stdin.close()
        self._terminal.wait(20)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """The runs of a test: what is left of them is ended."""
    runs: list[Run] = []
    yield runs
    for run in reversed(runs):  # two may share a folder, and whatever runs there
        run.end()


@pytest.fixture
def run(tmp_path: Path, runs: list[Run]) -> Run:
    runs.append(Run(tmp_path / "var"))
    return runs[0].wait_until_serving()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that all see who neither end nor change it: to start one takes seconds."""
    run = Run(tmp_path_factory.mktemp("serving") / "var")
    try:
        yield run.wait_until_serving()
    finally:
        run.end()


def test_it_shows_actions_and_ends_everything_at_ctrl_c(run: Run) -> None:
    assert re.search(r'POST /actions/sync-invoices {"customer_id": "cus_ada"}\n +202 Accepted', run.output)
    assert re.search(r"→ ok after .* s\n +result +{.*stored.*}", run.output)
    assert re.search(r"→ failed after .* s\n +error +customer_not_found in invoices\.fetch: .*cus_nobody", run.output)
    docs = re.search(r"Docs +(\S+)", run.output)[1]
    assert "text/html" in httpx.get(docs, trust_env=False).raise_for_status().headers["Content-Type"]
    assert len(run.processes()) > 5
    run.press_ctrl_c()
    assert run.wait_for_end() == 0
    assert not run.processes()
    assert "rror" not in run.output.partition("Serving")[2]


def test_the_line_that_it_prints_works_when_it_is_pasted(serving: Run) -> None:
    line = re.search(r"Try it +(curl .*)", serving.output)[1]
    answer = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert answer.startswith("HTTP/1.1 202 Accepted")
    assert '"sync-invoices"' in answer


def test_management_commands_meet_what_it_runs(serving: Run) -> None:
    assert (serving.var / "run.env").stat().st_mode & 0o777 == 0o600
    line = re.search(r"Manage +(\..*)", serving.output)[1]
    own = {"PATH": os.environ["PATH"]}  # none of the tests' variables
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, env=own, capture_output=True, text=True, check=False)
    assert re.search(r"ok +1 worker alive", done.stdout), done.stdout + done.stderr
    assert done.returncode == 0


def test_a_second_run_starts_in_seconds_and_keeps_its_data(run: Run, runs: list[Run]) -> None:
    token = (run.var / "demo.token").read_text()
    assert (run.var / "demo.token").stat().st_mode & 0o777 == 0o600
    run.press_ctrl_c()
    assert run.wait_for_end() == 0
    again = Run(run.var)
    runs.append(again)
    again.wait_until_serving()
    assert time.monotonic() - again.started < 20
    assert (run.var / "demo.token").read_text() == token
    headers = {"Authorization": f"Bearer {token.strip()}"}
    reports = httpx.get(f"{again.url}/reports", headers=headers, trust_env=False).raise_for_status().json()
    assert len(reports["items"]) == 4


def test_a_taken_port_is_one_clear_line(serving: Run, runs: list[Run], tmp_path: Path) -> None:
    port = serving.url.rpartition(":")[2]
    refused = Run(tmp_path / "other", PORT=port)
    runs.append(refused)
    assert refused.wait_for_end() != 0
    assert f"make run: Port {port} is taken. Choose another one: make run PORT={int(port) + 1}\n" in refused.output
    assert "Traceback" not in refused.output


def test_two_runs_do_not_share_a_folder(serving: Run, runs: list[Run]) -> None:
    refused = Run(serving.var)
    refused.var = refused.var.with_name("none")  # its processes are the first run's, but for the one that has ended
    runs.append(refused)
    assert refused.wait_for_end() != 0
    assert "make run: Another `make run` uses" in refused.output


@pytest.mark.parametrize("text", ["eighty", "0", "65536"])
def test_a_port_that_is_none_is_one_clear_line(tmp_path: Path, runs: list[Run], text: str) -> None:
    refused = Run(tmp_path / "var", PORT=text)
    runs.append(refused)
    assert refused.wait_for_end() != 0
    assert f"make run: PORT={text} is not a port. Use a number from 1 to 65535.\n" in refused.output


def test_it_says_which_process_has_ended_and_why(run: Run) -> None:
    worker = next(process for process in run.processes() if "celery" in process.cmdline())
    worker.kill()
    assert run.wait_for_end() != 0
    assert "make run: worker ended with exit code -9" in run.output
    assert not run.processes()


def test_sigterm_ends_everything(run: Run) -> None:
    run.supervisor().send_signal(signal.SIGTERM)
    assert run.wait_for_end() == 0
    assert not run.processes()


def test_everything_ends_when_it_is_killed(run: Run) -> None:
    run.supervisor().kill()
    assert run.wait_for_end() != 0
    assert wait_for(lambda: not run.processes(), 20)


def test_it_runs_on_postgres_and_a_redis_of_ones_own(
    tmp_path: Path, runs: list[Run], postgres: Postgres, valkey: Valkey
) -> None:
    postgres.create_database("own")
    run = Run(tmp_path / "var", DATABASE_URL=postgres.url("own"), BROKER_URL=valkey.url(5))
    runs.append(run)
    run.wait_until_serving()
    assert f"database  {postgres.url('own').replace('postgres@', '')}\n" in run.output
    assert f"broker    {valkey.url(5)}\n" in run.output
    assert not any("valkey-server" in " ".join(process.cmdline()) for process in run.processes())
    run.press_ctrl_c()
    assert run.wait_for_end() == 0


def test_it_runs_on_rabbitmq(tmp_path: Path, runs: list[Run], rabbitmq: RabbitMQ) -> None:
    run = Run(tmp_path / "var", BROKER_URL=rabbitmq.url)
    runs.append(run)
    run.wait_until_serving()
    assert f"broker    amqp://{LOCALHOST}:{rabbitmq.port}//\n" in run.output
    run.press_ctrl_c()
    assert run.wait_for_end() == 0


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("DATABASE_URL", "postgres://somebody:secret@127.0.0.1:1/none"),
        ("BROKER_URL", "redis://:secret@127.0.0.1:1/0"),
        ("BROKER_URL", "amqp://somebody:secret@127.0.0.1:1//"),
    ],
)
def test_a_server_that_does_not_answer_is_one_clear_line(
    tmp_path: Path, runs: list[Run], valkey: Valkey, variable: str, address: str
) -> None:
    refused = Run(tmp_path / "var", **{"REDIS_URL": valkey.url(1), variable: address})
    runs.append(refused)
    assert refused.wait_for_end() != 0
    scheme = address.partition("://")[0]
    assert f"make run: {variable}={scheme}://{LOCALHOST}:1" in refused.output
    assert "secret" not in refused.output
    assert "Traceback" not in refused.output

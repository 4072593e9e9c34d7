import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from stack.assembly import Stack
from stack.ports import LOCALHOST, Port, PortTakenError
from stack.process import Service, ServiceStartError, wait_for
from stack.web import Web

pytestmark = pytest.mark.once

# A program with a child: both say their process ids, then do nothing.
_FAMILY = """
import os, signal, sys, time
{before}
child = os.fork()
print(os.getpid(), flush=True)
while True:
    time.sleep(60)
"""

# Interrupts itself as soon as a process is there that it starts, and says that process's id.
_INTERRUPTED = """
import signal, subprocess, sys
from pathlib import Path
from stack.terminal import interruptible
from tests.integration.stack.test_process import Sleeper

class InterruptedPopen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)
        signal.raise_signal(int(sys.argv[2]))

subprocess.Popen = InterruptedPopen
sleeper = Sleeper(Path(sys.argv[1]))
try:
    with interruptible():
        sleeper.launch()
except KeyboardInterrupt:
    sleeper.kill()
    print("interrupted")
"""

# Has its guard told of many services at the same time, which takes a while to start, and is killed.
_CROWD = """
import os, signal, subprocess, sys, threading, time
from pathlib import Path
from stack import guard
from tests.integration.stack.test_process import Sleeper

class SlowPopen(subprocess.Popen):
    def __init__(self, command, **options):
        super().__init__(command, **options)
        if guard.__file__ in command:
            time.sleep(0.2)
            print("guard", flush=True)

subprocess.Popen = SlowPopen
sleepers = [Sleeper(Path(sys.argv[1])) for _ in range(5)]
threads = [threading.Thread(target=sleeper.launch) for sleeper in sleepers]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*(sleeper.pid for sleeper in sleepers if sleeper.is_running), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


class Family(Service):
    description = "a program of a test"
    name = "family"

    def __init__(self, log: Path, *, before: str = "") -> None:
        super().__init__(log)
        self._before = before

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", _FAMILY.format(before=self._before)]

    def is_ready(self) -> bool:
        return len(self.members()) == 2

    def members(self) -> list[int]:
        return [int(line) for line in self.log_text().split()]


class Failure(Service):
    description = "a program of a test"
    name = "failure"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", "import sys; sys.exit('this is why')"]

    def is_ready(self) -> bool:
        return False


class Busy(Service):
    description = "a program of a test"
    name = "busy"

    def command(self) -> Sequence[str]:
        return ["sh", "-c", "for n in $(seq 20); do while :; do :; done & done; wait"]

    def is_ready(self) -> bool:
        return len(psutil.Process(self.pid).children()) == 20


class Sleeper(Service):
    description = "a program of a test"
    name = "sleeper"
    patience = 0.2

    def command(self) -> Sequence[str]:
        return ["sleep", "60"]

    def is_ready(self) -> bool:
        return False


def is_alive(process: int) -> bool:
    """Tell whether a process is there and does not only wait for its parent to notice its end."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("end", [Family.stop, Family.kill], ids=["stop", "kill"])
def test_nothing_is_left_of_a_service_that_has_ended(tmp_path: Path, end) -> None:
    family = Family(tmp_path / "log").start()
    assert all(map(is_alive, family.members()))
    end(family)
    assert not family.is_running
    assert not any(map(is_alive, family.members()))


def test_a_service_that_ignores_sigterm_is_ended(tmp_path: Path) -> None:
    family = Family(tmp_path / "log", before="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    family.grace = 0.2
    family.start()
    family.stop()
    assert not any(map(is_alive, family.members()))
    assert family.exit_code == -signal.SIGKILL


def test_a_paused_service_is_ended_all_the_same(tmp_path: Path) -> None:
    family = Family(tmp_path / "log").start()
    family.pause()
    family.stop()
    assert family.exit_code == -signal.SIGTERM


def test_a_service_that_ends_instead_of_getting_ready_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServiceStartError, match=r"failure ended with exit code 1\.\nthis is why"):
        Failure(tmp_path / "log").start()


def test_a_service_that_does_not_get_ready_is_ended(tmp_path: Path) -> None:
    sleeper = Sleeper(tmp_path / "log")
    with pytest.raises(ServiceStartError, match=r"not ready after 0\.2 seconds"):
        sleeper.start()
    assert not is_alive(sleeper.pid)


def test_services_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.integration.stack.test_process import Family\n"
        "Family(Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    log = tmp_path / "log"
    starter = subprocess.run([sys.executable, "-c", program, log], check=False)
    assert starter.returncode == -signal.SIGKILL
    members = [int(line) for line in log.read_text().split()]
    assert len(members) == 2
    assert wait_for(lambda: not any(map(is_alive, members)), 10)


def test_a_paused_service_stands_still_however_busy_it_was(tmp_path: Path) -> None:
    with Busy(tmp_path / "log") as busy:
        members = psutil.Process(busy.pid).children()
        busy.pause()
        assert {member.status() for member in members} == {psutil.STATUS_STOPPED}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_service_whose_start_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    *started, last = _run(_INTERRUPTED, tmp_path / "log", str(int(number)))
    assert started
    assert last == "interrupted"
    assert wait_for(lambda: not any(is_alive(int(process)) for process in started), 10)


def test_services_that_start_at_the_same_time_have_one_guard(tmp_path: Path) -> None:
    *guards, services = _run(_CROWD, tmp_path / "log")
    assert guards == ["guard"]
    members = [int(member) for member in services.split()]
    assert len(members) == 5
    assert wait_for(lambda: not any(map(is_alive, members)), 10)


def _run(program: str, *arguments: Path | str) -> list[str]:
    """Return the lines that a program says."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def test_a_stack_ends_everything_when_a_part_does_not_start(tmp_path: Path) -> None:
    family = Family(tmp_path / "family.log")
    stack = Stack([family], [Failure(tmp_path / "failure.log")])
    with pytest.raises(ServiceStartError), stack:
        pass
    assert family.members()
    assert not any(map(is_alive, family.members()))


def test_a_stack_names_the_service_that_has_ended(tmp_path: Path) -> None:
    first, second = Family(tmp_path / "first.log"), Family(tmp_path / "second.log")
    with Stack([first], [second]) as stack:
        assert stack.ended() is None
        second.kill()
        assert stack.ended() is second


def test_no_two_ports_are_the_same() -> None:
    ports = [Port.any() for _ in range(50)]
    assert len({port.number for port in ports}) == 50
    with pytest.raises(PortTakenError):
        Port(ports[0].number)
    ports[0].release()
    Port(ports[0].number).release()


def test_a_port_where_somebody_listens_is_taken() -> None:
    with socket.create_server((LOCALHOST, 0)) as server, pytest.raises(PortTakenError, match="taken"):
        Port(server.getsockname()[1])


def test_a_web_server_waits_for_the_port_of_the_one_before(tmp_path: Path) -> None:
    web = Web({}, log=tmp_path / "log")
    with socket.create_server((LOCALHOST, web.port)) as before:
        closing = threading.Timer(0.2, before.close)
        closing.start()
        web.prepare()
        closing.join()


def test_a_web_server_does_not_wait_for_ever_for_its_port(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("stack.web._PORT_PATIENCE", 0.1)
    web = Web({}, log=tmp_path / "log")
    with socket.create_server((LOCALHOST, web.port)), pytest.raises(PortTakenError, match=str(web.port)):
        web.prepare()

"""One process of the stack: started, awaited, signalled, and ended for sure."""

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from stack import groups, guard
from stack.interruption import held_back
from stack.ports import Port

_LOG_TAIL_LINES = 15
_POLL_INTERVAL = 0.02


class Identity(NamedTuple):
    """Whom a program runs as."""

    user: str
    group: int


class ServiceStartError(Exception):
    """A service did not become ready; the message has the end of its log."""


class ServiceStopError(Exception):
    """A service is still there although it was killed."""


class Service(ABC):
    """A program with its own process group, which ends with it, and with the process that started it at the latest.

    A service can be started again after it has ended; it then has the same address and data.
    """

    name: str
    patience = 30.0  # seconds until it must be ready
    grace = 10.0  # seconds between asking it to end and ending it

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._group: int | None = None  # forgotten when it has ended: its number may be given to others
        self._log_start = 0

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables of the program."""
        return os.environ

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether it does its work. Asked again and again while it starts."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What a person wants to know of it: its address, for most."""

    def prepare(self) -> None:  # noqa: B027  most services have nothing to prepare
        """Do what has to be done before the program starts."""

    def identity(self) -> Identity | None:
        """Return the system user and group that the program needs, if it cannot run as this one."""
        return None

    def start(self) -> Self:
        """Start it and wait until it is ready.

        Raises:
            ServiceStartError: it ended, or was not ready in time.

        """
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self) -> None:
        """Start it without waiting for anything."""
        if self.is_running:
            raise RuntimeError(f"{self.name} runs already.")
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        identity = self.identity()
        # A process that is there and on no book is nobody's, and stays when all others are ended.
        with held_back(), self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self.command(),
                env=dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=identity and identity.user,
                group=identity and identity.group,
                extra_groups=[] if identity else None,
            )
            self._group = self._process.pid
            guard.watch(self._group)

    def wait_until_ready(self) -> None:
        """Wait until it is ready. Raises ServiceStartError when it ends instead, or takes too long."""
        if not wait_for(lambda: not self.is_running or self.is_ready(), self.patience):
            self.kill()
            raise ServiceStartError(f"{self.name} was not ready after {self.patience:g} seconds.\n{self.log_tail()}")
        if not self.is_running:
            raise ServiceStartError(f"{self.name} ended with exit code {self.exit_code}.\n{self.log_tail()}")

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self.is_running:
            self.ask_to_end()
        self.finish(time.monotonic() + self.grace)

    def ask_to_end(self) -> None:
        """Send SIGTERM to its main process, as an orchestrator does."""
        self.resume()
        self.signal(signal.SIGTERM)

    def finish(self, deadline: float) -> None:
        """Wait for its end until ``deadline`` (of the monotonic clock), then kill what is left of it."""
        if self._group is None:
            return
        wait_for(lambda: not self.is_running, deadline - time.monotonic())
        # Children may outlive the main process; they are in its group still.
        self._signal_group(signal.SIGKILL)
        if not wait_for(self._is_gone, self.grace):
            raise ServiceStopError(f"{self.name} (process group {self._group}) is still there after SIGKILL.")
        with held_back():
            guard.forget(self._group)
            self._group = None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to all of its processes and wait for their end."""
        self._signal_group(number)
        self.finish(time.monotonic() + self.grace)

    def restart(self) -> None:
        """Stop it and start it again, with the same address and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze all of its processes: it neither answers nor notices anything, as behind a broken network.

        They stand still when this returns. One thread of a process hears the signal, and may wait for a processor
        first; the others go on until then.
        """
        self._signal_group(signal.SIGSTOP)
        wait_for(lambda: self._group is None or groups.stands_still(self._group), self.grace)

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._signal_group(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Send a signal to its main process alone."""
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its main process."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its main process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its main process's exit code, None while it runs."""
        return self._process.poll() if self._process else None

    def log_text(self) -> str:
        """Return what it has logged since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def log_tail(self, lines: int = _LOG_TAIL_LINES) -> str:
        """Return the last lines of its log since its last start."""
        return "\n".join(self.log_text().splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _signal_group(self, number: int) -> None:
        if self._group is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._group, number)

    def _is_gone(self) -> bool:
        return not self.is_running and (self._group is None or not groups.members(self._group))


class Server(Service):
    """A service that listens on a port of this machine."""

    port: int

    def reserve(self, number: int | None) -> None:
        """Use the port ``number``, or some free one, kept for this server."""
        self._reservation = Port.any() if number is None else None
        self.port = self._reservation.number if self._reservation else number or 0


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until ``condition`` holds. Returns whether it did within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_INTERVAL)
    return True

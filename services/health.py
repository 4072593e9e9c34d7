"""Whether the service can do its work: what load balancers and orchestrators ask every few seconds."""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic

from django.db import DatabaseError, InterfaceError
from kombu.exceptions import OperationalError

from reports import workers
from services import migrations, queues

logger = logging.getLogger(__name__)

_FRESH = 1.0  # seconds for which an answer is given again
_STALE = 5.0  # seconds after which no answer is the answer

Check = Callable[[], list[str]]


def find_serving_faults() -> list[str]:
    """Return what keeps this process from accepting and answering requests; nothing where it does."""
    try:
        missing = migrations.find_missing()
    except (DatabaseError, InterfaceError) as error:
        return [f"the database does not answer ({_in_a_line(error)})"]
    return [f"migrations are not applied ({', '.join(missing)})"] if missing else []


def find_running_faults() -> list[str]:
    """Return what keeps the service from accepting requests, or from running soon what it has accepted."""
    return [*(find_serving_faults() or _find_recovery_faults()), *_find_broker_faults()]


def _find_recovery_faults() -> list[str]:
    try:
        return [] if workers.is_any_alive() else ["no worker is alive, and so no recovery"]
    except (DatabaseError, InterfaceError) as error:
        return [f"the database does not answer ({_in_a_line(error)})"]


def _find_broker_faults() -> list[str]:
    try:
        queues.require_broker()
    except OperationalError as error:
        return [f"the broker does not answer ({_in_a_line(error)})"]
    return []


class Verdict:
    """What a check has found, a second ago at most: it runs once a second in this process, however many ask.

    One at a time looks. Who asks meanwhile is given the last answer, and the fault that there is none where it is old:
    a check that hangs, with a database that does, keeps one thread and no more.
    """

    def __init__(self, name: str, check: Check) -> None:
        self._name = name
        self._check = check
        self._looking = Lock()
        self._faults: list[str] = []
        self._found_at = float("-inf")

    def faults(self) -> list[str]:
        """Return the faults that were found; nothing where all is well."""
        if self._age() >= _FRESH and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        if self._age() >= _STALE:
            return [f"no answer for {_STALE:g} seconds"]
        return self._faults

    def _age(self) -> float:
        return monotonic() - self._found_at

    def _look(self) -> None:
        try:
            found = self._check()
        except Exception as error:
            logger.exception("The check whether this process is %s failed.", self._name)
            found = [f"the check itself failed ({_in_a_line(error)})"]
        if found != self._faults:
            self._tell(found)
        self._faults, self._found_at = found, monotonic()

    def _tell(self, found: list[str]) -> None:
        if found:
            logger.warning("Not %s: %s.", self._name, "; ".join(found))
        else:
            logger.info("%s again.", self._name.capitalize())


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


#: Of this process.
serving = Verdict("serving", find_serving_faults)
ready = Verdict("ready", find_running_faults)

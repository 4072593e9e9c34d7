import threading
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

Kind = Literal["status", "slow", "drip", "malformed", "disconnect"]

MAX_FAULTS = 100
MAX_COUNT = 1_000_000
MAX_DELAY = 60.0


class FaultInvalidError(ValueError):
    """What was asked for is no fault; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A way for calls to go wrong.

    - ``status``: answers with that ``status``, and a Retry-After header when ``retry_after`` (seconds) is given
    - ``slow``: waits ``delay`` seconds, then answers as usual
    - ``drip``: answers as usual, but byte by byte with ``delay`` seconds in between
    - ``malformed``: answers 200 with something that is not JSON
    - ``disconnect``: closes the connection without an answer

    It strikes the next ``count`` calls whose path starts with ``path`` and whose method is ``method`` (any, when it is
    null). With ``after`` the call is carried out first and only its answer is spoilt.
    """

    kind: Kind
    path: str = "/"
    method: str | None = None
    count: int = 1
    status: int = 500
    retry_after: int | None = None
    delay: float = 1.0
    after: bool = False

    def __post_init__(self) -> None:
        self._require(self.kind in get_args(Kind), f"kind is not one of {', '.join(get_args(Kind))}")
        self._require(isinstance(self.path, str) and self.path.startswith("/"), 'path does not start with "/"')
        self._require(self.method in (None, "GET", "POST"), "method is not GET, POST or null")
        self._require(type(self.count) is int and 1 <= self.count <= MAX_COUNT, f"count is not 1 to {MAX_COUNT}")
        self._require(type(self.status) is int and 400 <= self.status <= 599, "status is not 400 to 599")  # noqa: PLR2004  HTTP's own
        self._require(
            self.retry_after is None or (type(self.retry_after) is int and self.retry_after >= 0),
            "retry_after is not a number of seconds",
        )
        self._require(
            type(self.delay) in (int, float) and 0 <= self.delay <= MAX_DELAY, f"delay is not 0 to {MAX_DELAY} seconds"
        )
        self._require(type(self.after) is bool, "after is not true or false")

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read one fault. Raises FaultInvalidError."""
        if not isinstance(document, dict) or "kind" not in document:
            raise FaultInvalidError('a fault is an object with at least a "kind"')
        unknown = document.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise FaultInvalidError(f"a fault has no {', '.join(sorted(unknown))}")
        return cls(**document)

    def strikes(self, method: str, path: str) -> bool:
        return path.startswith(self.path) and self.method in (None, method)

    @staticmethod
    def _require(condition: bool, problem: str) -> None:  # noqa: FBT001  a condition is what it takes
        if not condition:
            raise FaultInvalidError(problem)


STANDING = (
    # Customers that are not listed, and fail in the same way every time.
    Fault(kind="status", status=500, path="/customers/cus_broken/"),
    Fault(kind="status", status=404, path="/customers/cus_gone/"),
    Fault(kind="status", status=429, retry_after=1, path="/customers/cus_limited/"),
    Fault(kind="malformed", path="/customers/cus_garbled/"),
)


class Faults:
    """The faults that are switched on. The first one that fits a call strikes it, and is used up in time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def switch_on(self, *faults: Fault) -> None:
        """Put these in place of all others."""
        if len(faults) > MAX_FAULTS:
            raise FaultInvalidError(f"more than {MAX_FAULTS} faults")
        with self._lock:
            self._faults = list(faults)

    def switch_off(self) -> None:
        self.switch_on()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.strikes(method, path):
                    self._faults[place : place + 1] = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                    return fault
        return next((fault for fault in STANDING if fault.strikes(method, path)), None)

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

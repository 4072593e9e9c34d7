"""A load generator that costs next to nothing: one process, raw sockets, requests prepared beforehand.

Run as ``python -m benchmarks.load`` with a :class:`Load` as JSON on standard input; prints a :class:`Answered` as JSON.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

_HEADERS_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True)
class Load:
    """Requests to one port: ``requests`` in turn, each over whichever connection is free.

    Ends after ``seconds``, or after ``count`` requests. With a ``rate``, so many are sent a second, as long as a
    connection is free; else as many as can be. Where ``{n}`` stands in a request's headers, there will be the
    number of the request, counted from ``first``.
    """

    port: int
    requests: Sequence[str]
    seconds: float | None = None
    count: int | None = None
    connections: int = 16
    first: int = 0
    rate: float | None = None


@dataclass(frozen=True)
class Answered:
    """What came of a load. Latencies in milliseconds; ``own_cpu`` in seconds: of the generator itself."""

    answers: int
    seconds: float
    statuses: dict[str, int]
    p50: float
    p99: float
    own_cpu: float
    body: str = field(repr=False)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


def put(load: Load, *, status: int, or_else: int | None = None) -> Answered:
    """Have a process of its own put the load on. Raises RuntimeError where an answer has none of these statuses."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answered = Answered(**json.loads(done.stdout))
    if not set(answered.statuses) <= {str(status), str(or_else)}:
        raise RuntimeError(f"Not {status} alone: {answered.statuses}, such as {answered.body[:500]}")
    return answered


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: str = "") -> str:
    """Return an HTTP request as text."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body])


class _Client:
    """One connection with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._received = b""

    def send(self, text: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(text)

    def receive(self) -> bytes | None:
        """Return the whole answer, once it is there."""
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError(f"The server closed a connection after {self._received!r}.")
        self._received = received = self._received + part
        end = received.find(_HEADERS_END)
        if end < 0:
            return None
        at = received.find(_LENGTH, 0, end)
        length = int(received[at + len(_LENGTH) : received.index(b"\r", at)]) if at >= 0 else 0
        if len(received) < end + 4 + length:
            return None
        self._received = b""
        return received


def _run(load: Load) -> Answered:
    prepared = [text.encode() for text in load.requests]
    counting = b"{n}" in prepared[0]
    clients = {}
    poll = select.epoll()
    for _ in range(load.connections):
        client = _Client(load.port)
        clients[client.socket.fileno()] = client
        poll.register(client.socket.fileno(), select.EPOLLIN)
    number = load.first
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    began = time.perf_counter()
    until = began + load.seconds if load.seconds else float("inf")
    left = load.count or sys.maxsize
    answer = b""
    own = time.process_time()

    def send(client: _Client) -> None:
        nonlocal number, left
        text = prepared[number % len(prepared)]
        client.send(text.replace(b"{n}", b"%d" % number) if counting else text)
        number += 1
        left -= 1

    free = list(clients.values())
    while True:
        now = time.perf_counter()
        goes_on = left > 0 and now < until
        while free and left > 0 and goes_on and (load.rate is None or number - load.first <= (now - began) * load.rate):
            send(free.pop())
        if len(free) == len(clients) and not goes_on:
            break
        for descriptor, _ in poll.poll(None if load.rate is None else 1 / load.rate):
            client = clients[descriptor]
            received = client.receive()
            if received is None:
                continue
            answer = received
            latencies.append(time.perf_counter() - client.sent_at)
            statuses[answer[9:12].decode()] += 1
            free.append(client)
    seconds = time.perf_counter() - began
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * part)] * 1000 for part in (0.5, 0.99))
    own = time.process_time() - own
    return Answered(len(latencies), seconds, dict(statuses), p50, p99, own, answer.decode(errors="replace"))


if __name__ == "__main__":
    print(json.dumps(asdict(_run(Load(**json.load(sys.stdin))))))

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self

from sandbox.api import Answer, Api, Call
from sandbox.books import Books
from sandbox.faults import Fault, Faults

API_KEY = "sandbox-key"
MAX_BODY_BYTES = 64 * 1024

_LENGTH = re.compile(r"\d{1,9}", re.ASCII)


class Sandbox:
    """An InvoicesPlus of one's own, over real HTTP.

    In a test it runs in a thread, on a free port::

        with Sandbox() as sandbox:
            sandbox.faults.switch_on(Fault(kind="status", status=503))
            httpx.get(f"{sandbox.url}/customers", headers={"Authorization": f"Bearer {sandbox.api_key}"})

    Raises OSError when the port is taken.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, api_key: str = API_KEY, journal: Path | None = None
    ) -> None:
        self.api_key = api_key
        self.books = Books(journal)
        self.faults = Faults()
        self.api = Api(self.books, self.faults, api_key)
        self._server = _Server((host, port), self.api, self.faults)
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Serve in this thread, until it is interrupted."""
        with self._server:
            self._server.serve_forever()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: Api, faults: Faults) -> None:
        self.api = api
        self.faults = faults
        self.closing = threading.Event()
        self._connections: set[socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """As inherited, without the look-up of the host's name, which takes seconds on some machines."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close the kept-alive connections, too: a sandbox that is gone answers nobody."""
        self.closing.set()
        super().server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(SHUT_RDWR)
            except OSError:  # it was closed in the meantime
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the game."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "InvoicesPlusSandbox"
    sys_version = ""
    timeout = 30  # seconds that an idle connection is kept
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def _take(self) -> None:
        call = self._call()
        if call is None:
            self.close_connection = True
            self._send(Answer(413, {"error": {"message": "The body has no length, or is too long."}}))
            return
        fault = self._fault(call)
        if fault is None:
            self._send(self.server.api.answer(call))
        else:
            self._fail(fault, call)

    do_GET = do_POST = do_PUT = do_DELETE = _take  # noqa: N815  the names that http.server looks for

    def _call(self) -> Call | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length) or int(length) > MAX_BODY_BYTES:
            return None
        body = self.rfile.read(int(length))
        return Call(self.command, self.path, self.headers.get("Authorization", ""), body)

    def _fault(self, call: Call) -> Fault | None:
        spared = call.path in ("/faults", "/health") or not self.server.api.authorized(call)
        return None if spared else self.server.faults.strike(call.method, call.path)

    def _fail(self, fault: Fault, call: Call) -> None:
        answer = self.server.api.answer(call) if fault.after else None
        match fault.kind:
            case "status":
                headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                self._send(Answer(fault.status, {"error": {"message": "A fault of the sandbox."}}, headers))
            case "slow":
                self.server.closing.wait(fault.delay)
                self._send(answer or self.server.api.answer(call))
            case "drip":
                self._send(answer or self.server.api.answer(call), pause=fault.delay)
            case "malformed":
                self._send_body(200, b'{"data": [', {})
            case "disconnect":
                self.close_connection = True

    def _send(self, answer: Answer, pause: float = 0) -> None:
        self._send_body(answer.status, json.dumps(answer.document).encode(), dict(answer.headers), pause)

    def _send_body(self, status: int, body: bytes, headers: dict[str, str], pause: float = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not pause:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            self.server.closing.wait(pause)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

"""A proxy before a server of HTTP that hands on every byte, but for the requests that a test has planned otherwise."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_SLOW_DOWN: Final = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)


class Fault(Enum):
    """What becomes of a request."""

    #: It is answered 503, as a store that throttles does, and never reaches the server.
    BUSY = auto()
    #: The server gets half of its body, and then nothing but the end of the connection.
    CUT_BODY = auto()
    #: The server gets all of it, and its client never hears of that.
    CUT_BEFORE_ANSWER = auto()
    #: Its client gets half of the answer's body.
    CUT_ANSWER = auto()
    #: Its client gets half of the answer's body, and waits for the rest for ever.
    STALL = auto()
    #: The server gets half of its body, and waits for the rest for as long as the tests last; so does its client.
    HOLD_BODY = auto()
    #: One byte of its body is another when it comes to the server.
    CORRUPT = auto()


@dataclass
class BadConnection:
    """The proxy's port, what is to go wrong there, and what was asked."""

    port: int = 0
    #: Of each method, what becomes of its next requests; of those after them nothing.
    _planned: dict[str, list[Fault]] = field(default_factory=dict)
    #: Each request, as "GET /bucket/key", in order.
    seen: list[str] = field(default_factory=list)
    #: Bytes of all answers' bodies.
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, method: str, *faults: Fault) -> None:
        """Have the next requests of a method go wrong in these ways, one after the other."""
        with self._lock:
            self._planned[method] = list(faults)

    def calm(self) -> None:
        """Have nothing go wrong any more, and forget what was asked."""
        with self._lock:
            self._planned.clear()
            self.seen.clear()
            self.sent = 0

    def note_sent(self, count: int) -> None:
        """Note the length of an answer's body."""
        with self._lock:
            self.sent += count

    def asked(self, method: str, key: str = "") -> int:
        """Return how many requests of a method there were, for any object or for one."""
        with self._lock:
            return sum(one.startswith(f"{method} ") and one.endswith(key) for one in self.seen)

    def all_done(self) -> bool:
        """Tell whether everything that was planned has gone wrong."""
        with self._lock:
            return not any(self._planned.values())

    def fault_of(self, method: str, path: str) -> Fault | None:
        """Note a request; return what becomes of it."""
        with self._lock:
            self.seen.append(f"{method} {path.partition('?')[0]}")
            planned = self._planned.get(method)
            return planned.pop(0) if planned else None


@contextmanager
def bad_connection(port: int) -> Iterator[BadConnection]:
    """Run a proxy before a server's port on this machine."""
    connection = BadConnection()
    ended = threading.Event()

    class Handler(_Handler):
        server_port, state, end = port, connection, ended

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    connection.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield connection
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_port: int
    state: BadConnection
    end: threading.Event

    def do(self) -> None:
        """Hand a request on, or do what is planned."""
        fault = self.state.fault_of(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault is Fault.BUSY:
            self._answer(503, {"Content-Type": "application/xml"}, b"" if self.command == "HEAD" else _SLOW_DOWN)
            return
        upstream = HTTPConnection("127.0.0.1", self.server_port)
        try:
            self._pass_on(upstream, body, fault)
        finally:
            upstream.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do  # noqa: N815 - as http.server calls them

    def _pass_on(self, upstream: HTTPConnection, body: bytes, fault: Fault | None) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"connection", "expect"}:
                upstream.putheader(name, value)
        if fault is Fault.CORRUPT:
            body = body[:-1] + bytes([body[-1] ^ 1])
        is_half = fault in {Fault.CUT_BODY, Fault.HOLD_BODY}
        upstream.endheaders(body[: len(body) // 2] if is_half else body)
        if fault is Fault.HOLD_BODY:
            self.end.wait()
        if is_half:
            upstream.close()
            self._cut()
            return
        answer = upstream.getresponse()
        content = answer.read()
        if fault is Fault.CUT_BEFORE_ANSWER:
            self._cut()
        else:
            self._hand_back(answer, content, fault)

    def _hand_back(self, answer: HTTPResponse, content: bytes, fault: Fault | None) -> None:
        headers = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}
        }
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        if fault not in {Fault.CUT_ANSWER, Fault.STALL}:
            self._answer(answer.status, headers, content, length)
            return
        self._answer(answer.status, headers, content[: len(content) // 2], length)
        if fault is Fault.STALL:
            self.end.wait()
        self._cut()

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        self.state.note_sent(len(content))

    def _cut(self) -> None:
        """End the connection as a machine that dies does: without a word."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def send_response(self, code: int, message: str | None = None) -> None:
        """Say the status without what this server would add of its own."""
        self.send_response_only(code, message)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

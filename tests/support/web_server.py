"""A web server on this machine with a certificate for localhost, whose answers the tests name."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.certificates import Certificates

#: Answers a request by itself.
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WebServer:
    """What it answers, by path, and what it was asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        """Name a file of the server."""
        return f"https://localhost:{self.port}{path}"

    @property
    def host(self) -> str:
        """How FLEET_ALLOW_URLS names it."""
        return f"localhost:{self.port}"


def body(data: bytes, status: int = 200, **headers: str) -> Answer:
    """Answer with a body and its length."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        with suppress(OSError):  # who asks for no more of it is right
            request.wfile.write(data)

    return answer


@contextmanager
def running_web_server(certificates: Certificates) -> Iterator[WebServer]:
    """Run the server."""
    state = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.seen.append(self.path)
            state.answers.get(self.path, body(b"", 404))(self)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

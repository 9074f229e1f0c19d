"""Files of a real web server over TLS: only of hosts that were named, at addresses that were looked at, in bounds."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler

import pytest

from tests.support.certificates import make_certificates
from tests.support.files import encoded, photo
from tests.support.requests import make_request
from tests.support.web_server import Answer, WebServer, body, running_web_server
from worker.contract.catalog import MODELS
from worker.contract.errors import RowError, TransientError
from worker.editing.preparing import Preparing
from worker.editing.record import RowRecord
from worker.pictures import finding, remote
from worker.pictures.confine import Limits
from worker.pictures.decoding import size_of
from worker.pictures.pixel_budget import PixelBudget
from worker.pictures.sources import source_of
from worker.storage import connecting
from worker.storage.addresses import public_addresses
from worker.storage.meaning import Absent
from worker.storage.web import fetch

pytest.importorskip("urllib3", reason="the extra storage is not installed")

MOST = 100_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Run a server whose certificate this process trusts."""
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    with running_web_server(certificates) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificates.authority))  # read when this process first connects
        yield server


@pytest.fixture
def web(server: WebServer) -> WebServer:
    """Take the server without any answer."""
    server.answers.clear()
    server.seen.clear()
    return server


def here(host: str, port: int) -> tuple[str, ...]:
    """Resolve any host to this machine, as no worker does: all that a worker looks at is looked at all the same."""
    del host, port
    return ("127.0.0.1",)


def fetched(web: WebServer, path: str) -> bytes:
    """Fetch a file of the server, whose host is named."""
    return fetch(web.url(path), hosts=(web.host,), most=MOST, resolve=here)


@pytest.mark.parametrize("path", ["/two%20w%C3%B6rds.png?token=1", "/two wörds.png?token=1"])
def test_a_file_is_fetched(web: WebServer, path: str) -> None:
    """Its bytes come as they are, whatever its path and its query, escaped or not."""
    web.answers["/two%20w%C3%B6rds.png?token=1"] = body(b"picture")
    assert fetched(web, path) == b"picture"


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"]
)
def test_a_private_address_is_never_asked(web: WebServer, host: str) -> None:
    """Also where its host is named: this machine, its networks and a cloud's metadata are no web servers."""
    hosts = (f"{host.strip('[]')}:{web.port}",)
    with pytest.raises(RowError, match="its host is in a private network"):
        fetch(f"https://{host}:{web.port}/a.png", hosts=hosts, most=MOST)
    assert web.seen == []


def test_a_host_is_resolved_once(web: WebServer) -> None:
    """What a second answer of the resolver would be is of no matter: the first one is connected to."""
    web.answers["/a.png"] = body(b"picture")
    answers = iter([("127.0.0.1",)])
    assert fetch(web.url("/a.png"), hosts=(web.host,), most=MOST, resolve=lambda *_: next(answers)) == b"picture"


def test_a_redirect_is_followed(web: WebServer) -> None:
    """To a path or a URL of a named host."""
    web.answers["/a.png"] = body(b"", 302, Location="b.png")
    web.answers["/b.png"] = body(b"", 308, Location=web.url("/c.png"))
    web.answers["/c.png"] = body(b"picture")
    assert fetched(web, "/a.png") == b"picture"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://other.example/a.png", "is on no host that FLEET_ALLOW_URLS"),
        ("http://localhost/a.png", "is at http://"),
        ("file:///etc/hostname", "redirects to no URL|is at file://"),
        ("/a.png", "redirects more than 5 times"),
    ],
)
def test_a_redirect_is_checked(web: WebServer, location: str, reason: str) -> None:
    """To another host, to another scheme, and for ever: none is followed."""
    web.answers["/a.png"] = body(b"", 302, Location=location)
    with pytest.raises(RowError, match=reason):
        fetched(web, "/a.png")


def test_a_redirect_into_a_private_network_is_refused(web: WebServer) -> None:
    """Each host on the way is looked at, not the first alone."""
    web.answers["/a.png"] = body(b"", 302, Location="https://internal.example/a.png")

    def resolve(host: str, port: int) -> tuple[str, ...]:
        if host == "internal.example":
            return public_addresses("169.254.169.254", port)
        return here(host, port)

    with pytest.raises(RowError, match="its host is in a private network"):
        fetch(web.url("/a.png"), hosts=(web.host, "internal.example"), most=MOST, resolve=resolve)


def test_another_hosts_certificate_does_not_hold(web: WebServer) -> None:
    """Whoever answers at a host's address must be that host."""
    with pytest.raises(RowError, match="the certificate of its host does not hold"):
        fetch(f"https://other.example:{web.port}/a.png", hosts=(f"other.example:{web.port}",), most=MOST, resolve=here)
    assert web.seen == []


@pytest.mark.parametrize("says_its_length", [True, False])
def test_what_is_too_large_is_refused(web: WebServer, *, says_its_length: bool) -> None:
    """By the length that it says, or once so many bytes have come."""
    web.answers["/a.png"] = body(bytes(MOST + 1)) if says_its_length else _without_length(MOST + 1)
    with pytest.raises(RowError, match=rf"is too large \(.*at most {MOST} "):
        fetched(web, "/a.png")


def _without_length(count: int) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(bytes(count))

    return answer


def test_a_rows_images_are_bounded_together(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would do alone; of many no more is fetched than of one, since all are held before any is decoded."""
    monkeypatch.setattr(remote.web, "fetch", partial(fetch, resolve=here))
    monkeypatch.setattr(finding, "_OTHER_BYTES", 0)
    names = [f"/{name}.png" for name in "abc"]
    web.answers.update({name: body(encoded(photo(10, 10)) + bytes(1000)) for name in names})
    limits = Limits(max_pixels=300, allow_urls=(web.host,))
    assert [size_of(source_of(web.url(name), limits), max_pixels=300) for name in names] == [(10, 10)] * 3
    web.seen.clear()
    request = make_request(images=tuple(map(web.url, names)))
    preparing = Preparing(MODELS["demo"], limits, PixelBudget(300), threading.Event())
    with pytest.raises(RowError, match=r"/b\.png: is too large beside the row's other images \(at most 2400 bytes"):
        preparing.first(request, RowRecord(request, worker="w"))
    assert web.seen == names[:2]


@pytest.mark.parametrize("length", [MOST, None])
def test_what_trickles_is_given_up(web: WebServer, monkeypatch: pytest.MonkeyPatch, length: int | None) -> None:
    """A server that sends a byte now and then holds no thread for ever; what has come is not taken for the whole."""
    monkeypatch.setattr(connecting, "_LONGEST", 0.5)
    ended = threading.Event()

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if length is not None:
            request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(b"half of a pic")
        ended.wait()

    web.answers["/a.png"] = trickle
    with pytest.raises(TransientError, match="its server takes too long"):
        fetched(web, "/a.png")
    assert len(web.seen) <= 1  # the time is a file's, not each try's
    ended.set()


def test_what_may_pass_is_tried_again(web: WebServer) -> None:
    """A 503 and an answer that breaks off are borne."""
    answers = iter([body(b"", 503), body(b"pic", Content_Length="7"), body(b"picture")])

    def answer(request: BaseHTTPRequestHandler) -> None:
        next(answers)(request)

    web.answers["/a.png"] = answer
    assert fetched(web, "/a.png") == b"picture"


def test_a_connection_that_breaks_is_tried_again(web: WebServer) -> None:
    """Also where what comes in the middle of a file is no TLS any more: that is nobody's refusal."""

    def broken(request: BaseHTTPRequestHandler) -> None:
        body(b"pic", Content_Length="7")(request)
        request.wfile.flush()
        with socket.socket(fileno=os.dup(request.connection.fileno())) as beneath:
            beneath.sendall(b"no TLS, " * 10)

    answers = iter([broken, body(b"picture")])

    def answer(request: BaseHTTPRequestHandler) -> None:
        next(answers)(request)

    web.answers["/a.png"] = answer
    assert fetched(web, "/a.png") == b"picture"
    assert len(web.seen) == 2


def test_no_signature_is_logged(web: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    """Neither of a file that comes, with every logger as talkative as can be, nor of a header that is none."""
    caplog.set_level(logging.DEBUG)

    def malformed(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\nno header\r\nContent-Length: 7\r\n\r\npicture")

    web.answers["/a.png?X-Amz-Signature=secret"] = malformed
    assert fetched(web, "/a.png?X-Amz-Signature=secret").endswith(b"picture")
    assert "secret" not in caplog.text


@pytest.mark.parametrize(("status", "kind"), [(404, Absent), (410, Absent), (403, RowError), (418, RowError)])
def test_what_is_refused_stays_so(web: WebServer, status: int, kind: type[RowError]) -> None:
    """A file that is not there, or not for us, is asked for once."""
    web.answers["/a.png"] = body(b"", status)
    with pytest.raises(kind, match=str(status)):
        fetched(web, "/a.png")
    assert web.seen == ["/a.png"]

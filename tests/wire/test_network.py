"""The way to a side: certificates, proxies, environment. Each fault is played by a server that really does it."""

import contextlib
import socket
import ssl
import subprocess
import threading

import pytest
from flask import Flask, Response, request

from pdmigrate.errors import AnswerError, SettingsError, UnreachableError
from pdmigrate.sandbox.server import serve
from pdmigrate.wire.network import Network, find_password
from pdmigrate.wire.transport import Patience, Transport

SECRET = "4f1cKEYKEYKEY9d"
QUICK = Patience(first=0.01, longest=0.02)
FAR = "http://pagerduty.invalid"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def open_transport(url, **network):
    headers = {"Authorization": f"Token token={SECRET}"}
    return Transport("PagerDuty", url, headers, patience=QUICK, timeout=60, network=Network(**network))


def ask(url, **network):
    return open_transport(url, **network).send("GET", "/users")


@contextlib.contextmanager
def listening(answer, context=None):
    """A server of raw bytes, behind TLS where a context is given. Yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                spoken = context.wrap_socket(connection, server_side=True) if context else connection
                with spoken:
                    spoken.recv(4096)
                    spoken.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


GOOD = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"users":1}'
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) of 127.0.0.1, signed by nobody."""
    folder = tmp_path_factory.mktemp("tls")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1"]
    made += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def tls(certificate):
    """The port of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with listening(GOOD, context) as port:
        yield port


class Proxy:
    """Notes what it is asked for, and answers in the place of the other side."""

    def __init__(self):
        self.asked, self.status = [], 200
        app = Flask("proxy")
        app.before_request(self._answer)
        self.server = serve(app, 0)

    def _answer(self):
        self.asked.append((request.headers["Host"], request.headers.get("Proxy-Authorization")))
        text = '{"users": 1}' if self.status == 200 else "<h1>Who are you?</h1>"
        return Response(text, status=self.status, mimetype="application/json")


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.server.stop()


# --- certificates ---


def test_an_untrusted_certificate_is_said_at_once_with_the_way_on(tls):
    transport = open_transport(f"https://127.0.0.1:{tls}")
    with pytest.raises(
        UnreachableError, match=r"certificate is not trusted \(self.signed.*ca_bundle.*REQUESTS_CA_BUNDLE"
    ):
        transport.send("GET", "/users")
    assert transport.counts.requests == 1


def test_what_ca_bundle_names_is_trusted_whatever_the_environment_says(tls, certificate, monkeypatch):
    address = f"https://127.0.0.1:{tls}"
    assert ask(address, ca_bundle=str(certificate[0])) == {"users": 1}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    assert ask(address) == {"users": 1}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    assert ask(address, ca_bundle=str(certificate[0])) == {"users": 1}
    with pytest.raises(SettingsError, match=r"^REQUESTS_CA_BUNDLE: there is no /nowhere\.pem"):
        ask(address)


def test_a_certificate_for_another_name_is_said_as_such(tls, certificate):
    with pytest.raises(UnreachableError, match=r"certificate is for another name.*check the address"):
        ask(f"https://localhost:{tls}", ca_bundle=str(certificate[0]))


def test_a_ca_bundle_without_certificates_is_one_line(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for path, words in (("gone.pem", "there is no"), ("ca.pem", "holds no certificates")):
        with pytest.raises(SettingsError, match=rf"^ca_bundle in migration\.yaml: .*{words}") as caught:
            ask("https://pagerduty.invalid", ca_bundle=str(tmp_path / path))
        assert "\n" not in str(caught.value)


def test_https_where_nobody_speaks_it_is_said_at_once():
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        transport = open_transport(f"https://127.0.0.1:{port}")
        with pytest.raises(UnreachableError, match="does not speak https"):
            transport.send("GET", "/users")
        assert transport.counts.requests == 1
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes the connection, and waits for a request
        transport = open_transport(f"https://127.0.0.1:{silent.getsockname()[1]}")
        transport.timeout = 0.3
        with pytest.raises(UnreachableError, match="may speak http alone"):
            transport.send("GET", "/users")


# --- proxies ---


def test_requests_go_through_the_proxy_that_is_named(proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with_password = proxy.server.url.replace("http://", "http://ann:pass@")
    assert ask(FAR, proxy=with_password) == {"users": 1}
    assert proxy.asked == [("pagerduty.invalid", "Basic YW5uOnBhc3M=")]
    assert find_password(with_password) == "pass"


def test_the_environments_proxy_is_honoured(proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", proxy.server.url)
    assert ask(FAR) == {"users": 1}
    assert Network().describe(FAR).startswith(f"through the proxy {proxy.server.url[7:]} (the environment)")
    monkeypatch.setenv("NO_PROXY", "pagerduty.invalid")
    assert Network().describe(FAR).startswith("directly")


def test_servers_of_this_machine_are_asked_directly(proxy):
    other = Proxy()
    assert ask(other.server.url, proxy=proxy.server.url) == {"users": 1}
    other.server.stop()
    assert proxy.asked == []


def test_what_a_proxy_says_against_it_is_the_proxys(proxy):
    proxy.status = 407
    with pytest.raises(UnreachableError, match=r"proxy 127\.0\.0\.1:\d+ asks who is there \(407\)") as caught:
        ask(FAR, proxy=proxy.server.url.replace("http://", "http://ann:pass@"))
    assert "pass" not in str(caught.value).replace("PASSWORD", "")
    proxy.status = 403
    with pytest.raises(AnswerError, match="403: Who are you"):
        ask(FAR, proxy=proxy.server.url)


@pytest.mark.parametrize("status, words", [("407 Who", "asks who is there"), ("403 No", "does not let it through")])
def test_a_tunnel_that_a_proxy_refuses_is_said(status, words):
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    refused = pytest.raises(UnreachableError, match=rf"{words} \({status[:3]}\)")
    with listening(answer) as port, refused:
        ask("https://pagerduty.invalid", proxy=f"http://127.0.0.1:{port}")


def test_a_proxy_that_is_not_there_is_said():
    with pytest.raises(UnreachableError, match=r"the proxy 127\.0\.0\.1:9 does not answer"):
        ask(FAR, proxy="http://ann:pass@127.0.0.1:9")
    with pytest.raises(UnreachableError):
        ask(FAR, proxy="http://")


def test_a_password_in_netrc_never_takes_the_place_of_the_key(proxy, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine pagerduty.invalid login ann password pass\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen = []
    proxy.server.app.before_request_funcs[None].insert(0, lambda: seen.append(request.headers["Authorization"]))
    ask(FAR, proxy=proxy.server.url)
    assert seen == [f"Token token={SECRET}"]


def test_the_way_is_described_without_a_password(tmp_path):
    said = Network(str(tmp_path), "http://ann:pass@proxy.example.com:8080").describe("https://api.pagerduty.com")
    assert said == (
        f"through the proxy proxy.example.com:8080 (migration.yaml); certificates are judged by {tmp_path} "
        "(ca_bundle in migration.yaml)"
    )
    assert "pass" not in repr(Network(proxy="http://ann:pass@proxy"))

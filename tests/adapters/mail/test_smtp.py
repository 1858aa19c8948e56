"""Against a relay that accepts, greylists, refuses, cuts."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from billing.adapters.mail.smtp import SmtpMailer, SmtpSettings
from billing.domain.errors import MailRefused, MailTemporarilyRefused, MailUnconfirmed
from tests.adapters.mail.samples import FROM_ADDRESS, nothing, outgoing


@dataclass
class Relay:
    """Answers as told, and keeps what it took."""

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    datas: int = 0

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.datas += 1
        answer = self.answers.get("DATA", "250 2.0.0 OK: queued as EXEMPLE")
        if answer.startswith("250"):
            self.taken.append(envelope)
        return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve() -> Iterator[Callable[..., SmtpMailer]]:
    """Starts a relay and gives a mailer that is told to use it."""
    started: list[Controller] = []

    def start(relay: Relay, *, client_tls: ssl.SSLContext | None = None, **options: Any) -> SmtpMailer:
        settings: dict[str, Any] = {"starttls": False}
        settings |= {name: options.pop(name) for name in ("username", "password", "starttls") if name in options}
        controller = Controller(relay, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        started.append(controller)
        return SmtpMailer(
            SmtpSettings(host="127.0.0.1", port=controller.port, **settings),
            from_address=FROM_ADDRESS,
            tls=client_tls,
            timeout_seconds=5,
        )

    yield start
    for controller in started:
        controller.stop()


def test_the_relay_gets_the_message_and_its_envelope(serve: Callable[..., SmtpMailer]) -> None:
    relay = Relay()

    message_id = serve(relay).send(outgoing(), hand_over=nothing)

    (envelope,) = relay.taken
    assert envelope.mail_from == FROM_ADDRESS
    assert envelope.rcpt_tos == ["compta@modele.example"]
    assert isinstance(envelope.content, bytes)
    assert message_from_bytes(envelope.content)["Message-ID"] == message_id


def test_a_line_that_begins_with_a_dot_arrives_whole(serve: Callable[..., SmtpMailer]) -> None:
    relay = Relay()

    serve(relay).send(outgoing(text="avant\n.\n..après\n"), hand_over=nothing)

    content = relay.taken[0].content
    assert isinstance(content, bytes)
    assert b"avant\r\n.\r\n..apr" in content


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 4.7.1 Greylisted, try again later", MailTemporarilyRefused), ("550 5.1.1 Unknown user", MailRefused)],
)
def test_an_answer_says_whether_a_retry_may_help(
    serve: Callable[..., SmtpMailer], stage: str, answer: str, error: type[Exception]
) -> None:
    relay = Relay({stage: answer})

    with pytest.raises(error) as caught:
        serve(relay).send(outgoing(), hand_over=nothing)

    assert caught.type is error
    assert relay.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_it_logs_in_when_told_to(serve: Callable[..., SmtpMailer]) -> None:
    seen = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret", handled=False)

    options = {"authenticator": authenticate, "auth_require_tls": False, "auth_required": True, "username": "exemple"}
    relay = Relay()

    serve(relay, password="secret", **options).send(outgoing(), hand_over=nothing)
    with pytest.raises(MailRefused):
        serve(relay, password="faux", **options).send(outgoing(), hand_over=nothing)

    assert (b"exemple", b"secret") in seen
    assert len(relay.taken) == 1


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A relay's context and that of a client which trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relais.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "relay.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def test_starttls_encrypts_with_a_certificate_that_is_trusted(serve: Callable[..., SmtpMailer], tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    relay = Relay()

    serve(relay, tls_context=server, require_starttls=True, starttls=True, client_tls=client).send(
        outgoing(), hand_over=nothing
    )

    assert len(relay.taken) == 1


def test_an_unknown_certificate_stops_the_sending(serve: Callable[..., SmtpMailer], tmp_path: Path) -> None:
    server, _ = certificate(tmp_path)
    relay = Relay()

    with pytest.raises(MailTemporarilyRefused):
        serve(relay, tls_context=server, starttls=True).send(outgoing(), hand_over=nothing)

    assert relay.taken == []


def test_a_relay_without_encryption_gets_nothing_when_it_is_asked_for(serve: Callable[..., SmtpMailer]) -> None:
    relay = Relay()

    with pytest.raises(MailTemporarilyRefused):
        serve(relay, starttls=True).send(outgoing(), hand_over=nothing)

    assert relay.taken == []


def test_nobody_listening_is_worth_a_retry() -> None:
    mailer = SmtpMailer(SmtpSettings(host="127.0.0.1", port=free_port(), starttls=False), from_address=FROM_ADDRESS)

    with pytest.raises(MailTemporarilyRefused):
        mailer.send(outgoing(), hand_over=nothing)


def test_nothing_is_taken_before_the_caller_has_noted_that_the_mail_leaves(serve: Callable[..., SmtpMailer]) -> None:
    relay = Relay()

    def cannot() -> None:
        assert relay.datas == 0
        raise MailUnconfirmed

    with pytest.raises(MailUnconfirmed):
        serve(relay).send(outgoing(), hand_over=cannot)

    assert relay.taken == []


def test_what_is_held_back_at_the_hand_over_says_no_goodbye_in_the_middle_of_the_content(
    serve: Callable[..., SmtpMailer], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, said = Relay(), []
    monkeypatch.setattr("smtplib.SMTP.quit", lambda smtp: said.append(smtp.sock))

    def cannot() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        serve(relay).send(outgoing(), hand_over=cannot)

    assert said == [None]  # the connection is closed already: nothing waits for an answer
    assert relay.taken == []


MORE_THAN_SOCKETS_HOLD = bytes(8 * 1024 * 1024)


@dataclass
class CuttingRelay:
    """Speaks SMTP by hand and hangs up, or falls silent, when it has read this."""

    at: bytes
    silent: bool = False
    greeting: bytes = b"220 relais.example\r\n"
    connections: int = 0

    def serve(self, listener: socket.socket, done: threading.Event) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._talk(connection, done)

    def _talk(self, connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(self.greeting)
        received = b""
        in_data = False
        while chunk := connection.recv(65536):
            received += chunk
            if self.at.lower() in received[-len(chunk) - len(self.at) :].lower():
                if self.silent:
                    done.wait(10)
                return
            if in_data:
                continue
            if received.endswith(b"\r\n"):
                command = received.splitlines()[-1].upper()
                in_data = command.startswith(b"DATA")
                connection.sendall(b"354 go on\r\n" if in_data else b"250 OK\r\n")


@pytest.mark.parametrize(
    ("relay", "error"),
    [
        (CuttingRelay(at=b"ehlo"), MailTemporarilyRefused),
        (CuttingRelay(at=b"mail from"), MailTemporarilyRefused),
        (CuttingRelay(at=b"rcpt to"), MailTemporarilyRefused),
        (CuttingRelay(at=b"\r\ndata\r\n"), MailTemporarilyRefused),
        (CuttingRelay(at=b"Content-Type: application/pdf"), MailTemporarilyRefused),
        (CuttingRelay(at=b"\r\n.\r\n"), MailUnconfirmed),
        (CuttingRelay(at=b"\r\n.\r\n", silent=True), MailUnconfirmed),
        (CuttingRelay(at=b"ehlo", silent=True), MailTemporarilyRefused),
        (CuttingRelay(at=b"never", greeting=b"421 busy\r\n"), MailTemporarilyRefused),
        (CuttingRelay(at=b"never", greeting=b"554 not for you\r\n"), MailRefused),
    ],
    ids=["ehlo", "mail", "rcpt", "data", "content", "end", "silent-end", "silent-ehlo", "busy", "forbidden"],
)
def test_where_a_connection_breaks_decides_whether_the_mail_may_have_left(
    relay: CuttingRelay, error: type[Exception]
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()
    thread = threading.Thread(target=relay.serve, args=(listener, done), daemon=True)
    thread.start()
    settings = SmtpSettings(host="127.0.0.1", port=listener.getsockname()[1], starttls=False)

    with pytest.raises(error) as caught:
        SmtpMailer(settings, from_address=FROM_ADDRESS, timeout_seconds=0.5).send(
            outgoing(attachment=MORE_THAN_SOCKETS_HOLD), hand_over=nothing
        )

    done.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    assert caught.type is error
    assert relay.connections == 1

"""Sending through an SMTP relay (RFC 5321), such as Brevo's."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from billing.adapters.mail.mime import build, envelope_recipient, message_id
from billing.domain.errors import MailRefused, MailTemporarilyRefused, MailUnconfirmed
from billing.ports.delivery import OutgoingMail

_TIMEOUT_SECONDS = 30.0
_PERMANENT = 500
_START_OF_CONTENT = 354


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """``username`` empty: no login. ``starttls``: encrypt and check the relay's certificate, or do not send."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    starttls: bool = True


class SmtpMailer:
    def __init__(
        self,
        settings: SmtpSettings,
        *,
        from_address: str,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._settings = settings
        self._from_address = from_address
        self._tls = tls
        self._timeout_seconds = timeout_seconds

    def send(self, mail: OutgoingMail, *, hand_over: Callable[[], None]) -> str:
        """The Message-ID, which relays give back in their events.

        ``hand_over`` is called between the content and the lone dot that ends it: a relay whose client is gone
        before the dot has nothing to deliver (RFC 5321 section 4.1.1.4).

        Raises:
            MailTemporarilyRefused: the relay is unreachable or answers 4xx: nothing was taken.
            MailRefused: it answers 5xx.
            MailUnconfirmed: cut between the lone dot and the relay's answer to it.
        """
        recipient = envelope_recipient(mail)
        raw = build(mail, self._from_address)
        with self._session() as smtp:
            with _nothing_taken():
                options = [f"size={len(raw)}"] if smtp.has_extn("size") else []
                _accepted(*smtp.mail(self._from_address, options))
                _accepted(*smtp.rcpt(recipient))
                smtp.putcmd("data")
                _expected(_START_OF_CONTENT, *smtp.getreply())
                smtp.send(_content(raw))
            try:
                hand_over()
            except BaseException:
                smtp.close()  # a QUIT would be taken for content, and its answer waited for
                raise
            _end(smtp)
        return message_id(mail, self._from_address)

    @contextlib.contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """A connection that is greeted, encrypted and logged in as the settings say."""
        settings = self._settings
        with _nothing_taken():
            # Without the name, smtplib asks the resolver for this machine's own, which may take seconds.
            name = self._from_address.rpartition("@")[2]
            smtp = smtplib.SMTP(settings.host, settings.port, name, self._timeout_seconds)
        try:
            with _nothing_taken():
                if settings.starttls:
                    smtp.starttls(context=self._tls or ssl.create_default_context())
                smtp.ehlo_or_helo_if_needed()
                if settings.username:
                    smtp.login(settings.username, settings.password)
            yield smtp
        finally:
            _close(smtp)


@contextlib.contextmanager
def _nothing_taken() -> Iterator[None]:
    """Before the end of the content, whatever breaks leaves nothing with the relay."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailTemporarilyRefused from error


def _end(smtp: smtplib.SMTP) -> None:
    """The lone dot: from here on the mail may be the relay's."""
    try:
        smtp.send(b".\r\n")
        code, text = smtp.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise MailUnconfirmed from error
    _accepted(code, text)


def _content(raw: bytes) -> bytes:
    """Leading dots doubled, the last line ended (RFC 5321 section 4.5.2)."""
    quoted = re.sub(rb"(?m)^\.", b"..", raw)
    return quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"


def _accepted(code: int, text: bytes) -> None:  # noqa: ARG001 - an SMTP answer is a code and a text
    if not 200 <= code < 300:
        raise _refusal(code)


def _expected(wanted: int, code: int, text: bytes) -> None:  # noqa: ARG001 - an SMTP answer is a code and a text
    if code != wanted:
        raise _refusal(code)


def _refusal(code: int) -> MailRefused | MailTemporarilyRefused:
    return MailRefused() if code >= _PERMANENT else MailTemporarilyRefused()


def _close(smtp: smtplib.SMTP) -> None:
    """Say goodbye; the answer changes nothing any more."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        smtp.quit()
    smtp.close()

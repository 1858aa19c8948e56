"""An outgoing mail as the bytes that travel: multipart/mixed of (text, HTML) and the PDF, if it carries one.

No ``Auto-Submitted``: a person asked for the sending, and an absence notice of the customer is worth reading.
"""

from __future__ import annotations

import hashlib
import re
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any, Final

from billing.domain.errors import MailRefused
from billing.domain.mail import DELIVERY_HEADER
from billing.ports.delivery import OutgoingMail

_CONTROLS = re.compile("[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_UNSAFE_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')


class _Policy(EmailPolicy):
    """As SMTP, but for a subject with accents: Python 3.13 folds it so that a space before an encoded word is doubled,
    and one between two of them is lost."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name != "Subject" or value.isascii():
            return super().fold_binary(name, value)
        text = Header(value, "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {text}{self.linesep}".encode("ascii")


_POLICY: Final = _Policy(linesep=SMTP.linesep, max_line_length=SMTP.max_line_length)


def message_id(mail: OutgoingMail, from_address: str) -> str:
    return f"<{mail.message_id}@{from_address.rpartition('@')[2]}>"


def envelope_recipient(mail: OutgoingMail) -> str:
    """The recipient as a relay takes it: an international domain in ASCII.

    Raises:
        MailRefused: no address, or one that needs SMTPUTF8, which relays seldom speak.
    """
    local, at, domain = mail.recipient.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        address = Address(addr_spec=f"{local}{at}{ascii_domain}").addr_spec
    except (MessageError, UnicodeError, ValueError, IndexError) as error:
        raise MailRefused("L'adresse du destinataire est invalide.", "The recipient's address is invalid.") from error
    if not local or not domain or not address.isascii() or _CONTROLS.search(mail.recipient):
        raise MailRefused("L'adresse du destinataire est invalide.", "The recipient's address is invalid.")
    return address


def build(mail: OutgoingMail, from_address: str) -> bytes:
    """The message with CRLF line ends; the same mail gives the same bytes.

    Raises:
        MailRefused: the recipient's address cannot be written.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(f"{mail.sender_name} via ZenBilling", from_address)
    message["To"] = _address(mail.recipient_name, envelope_recipient(mail))
    message["Reply-To"] = _address(mail.sender_name, mail.reply_to)
    message["Subject"] = _header(mail.subject)
    message["Date"] = format_datetime(mail.sent_at)
    message["Message-ID"] = message_id(mail, from_address)
    message[DELIVERY_HEADER] = _header(mail.delivery_reference)
    message["Content-Language"] = mail.language
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    fingerprint = hashlib.sha256(mail.message_id.encode()).hexdigest()[:24]
    if not mail.attachment_name:  # an alert
        message.set_boundary(f"alternative-{fingerprint}")
        return message.as_bytes()
    message.add_attachment(
        mail.attachment,
        maintype="application",
        subtype="pdf",
        filename=_UNSAFE_IN_NAMES.sub("-", mail.attachment_name),  # a number may hold a slash
    )
    for file in mail.further:
        maintype, _, subtype = file.media_type.partition("/")
        message.add_attachment(
            file.content, maintype=maintype, subtype=subtype, filename=_UNSAFE_IN_NAMES.sub("-", file.name)
        )
    message.set_boundary(f"mixed-{fingerprint}")
    next(iter(message.iter_parts())).set_boundary(f"alternative-{fingerprint}")
    return message.as_bytes()


def _address(name: str, address: str) -> Address:
    return Address(display_name=_header(name), addr_spec=address)


def _header(text: str) -> str:
    """On one line, so that no text of a user becomes a header of its own."""
    return _CONTROLS.sub(" ", text).strip()

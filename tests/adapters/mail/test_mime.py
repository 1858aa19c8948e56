from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime

import pytest

from billing.adapters.mail.mime import build, envelope_recipient
from billing.domain.errors import MailRefused
from billing.domain.mail import DELIVERY_HEADER
from billing.ports.delivery import OutgoingMail
from tests.adapters.mail.samples import FROM_ADDRESS, outgoing


def parsed(mail: OutgoingMail) -> EmailMessage:
    message = message_from_bytes(build(mail, FROM_ADDRESS), policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def test_the_mail_is_text_and_html_with_the_pdf_beside_them() -> None:
    mail = outgoing()

    message = parsed(mail)

    assert message.get_content_type() == "multipart/mixed"
    alternative, attachment = message.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in alternative.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in alternative.iter_parts())
    assert text == mail.text
    assert html == mail.html
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_filename() == "F2026-00001.pdf"
    assert attachment.get_content() == mail.attachment


def test_it_comes_from_the_company_through_us_and_answers_go_to_the_company() -> None:
    message = parsed(outgoing())

    (sender,) = message["From"].addresses
    (reply_to,) = message["Reply-To"].addresses
    (recipient,) = message["To"].addresses
    assert sender.display_name == "Exemple & Frères, SARL via ZenBilling"
    assert sender.addr_spec == FROM_ADDRESS
    assert reply_to.addr_spec == "facturation@exemple.example"
    assert (recipient.display_name, recipient.addr_spec) == ("Atelier Modèle SAS", "compta@modele.example")


@pytest.mark.parametrize(
    "text",
    [
        "Votre devis D2026-00012 de Boulangerie Martin et fils pour la rénovation énergétique de la façade",
        "Facture F2026-00042 de la Société générale de maçonnerie et de couverture réunies du Périgord",
        "Rappel\u00a0: élégante échéance à régler, déjà échue, de Müller & Ünlü, 1\u202f234,56\u00a0€",
        "é" * 300,
        f"{'a' * 70} é",
    ],
)
def test_a_long_subject_with_accents_keeps_its_spaces(text: str) -> None:
    """Read by two parsers."""
    content = build(replace(outgoing(), subject=text), FROM_ADDRESS)

    assert message_from_bytes(content, policy=SMTP)["Subject"] == text
    assert str(make_header(decode_header(message_from_bytes(content)["Subject"]))) == text
    head = content.partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 78
    assert head.isascii()


def test_headers_say_when_which_and_for_what() -> None:
    mail = outgoing()

    message = parsed(mail)

    assert message["Subject"] == mail.subject
    assert parsedate_to_datetime(message["Date"]) == mail.sent_at
    assert message["Message-ID"] == "<ten_01.inv_01.1@zenbilling.example>"
    assert message[DELIVERY_HEADER] == "ten_01.inv_01.1"
    assert message["MIME-Version"] == "1.0"


def test_the_same_mail_gives_the_same_bytes() -> None:
    assert build(outgoing(), FROM_ADDRESS) == build(outgoing(), FROM_ADDRESS)


def test_the_bytes_are_fit_for_any_relay() -> None:
    raw = build(outgoing(text="é" * 3000 + "\n.\n", subject="Œuvre " * 60), FROM_ADDRESS)

    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert all(b"\n" not in line and b"\r" not in line for line in lines)
    assert max(map(len, lines)) <= 998


@pytest.mark.parametrize("field", ["sender_name", "recipient_name", "subject", "delivery_reference"])
def test_a_text_never_becomes_a_header(field: str) -> None:
    message = parsed(outgoing(**{field: "Bonjour\r\nBcc: autre@modele.example\n\nCorps"}))

    assert "Bcc" not in message
    assert len(message["To"].addresses) == 1


def test_a_slash_in_the_number_stays_out_of_the_file_name() -> None:
    message = parsed(outgoing(attachment_name="F/2026\\1.pdf"))

    assert [part.get_filename() for part in message.iter_attachments()] == ["F-2026-1.pdf"]


def test_an_international_domain_is_written_in_ascii() -> None:
    assert envelope_recipient(outgoing(recipient="compta@modèle.example")) == "compta@xn--modle-6ra.example"


@pytest.mark.parametrize(
    "recipient",
    ["", "personne", "@modele.example", "a@", "é@modele.example", "a b@modele.example", "a@modele.example\r\nx: y",
     "a@modele.example, b@modele.example", "a@" + "x" * 70 + ".example"],
)  # fmt: skip
def test_an_address_that_cannot_be_written_is_refused(recipient: str) -> None:
    with pytest.raises(MailRefused):
        build(outgoing(recipient=recipient), FROM_ADDRESS)

"""E-mail, through what sends our other mail."""

from __future__ import annotations

import html

from billing.adapters.alert_channels.recipients import ReadRecipients, fingerprint
from billing.domain.alerts import Notice, Sent
from billing.domain.errors import MailRefused, MailTemporarilyRefused, MailUnconfirmed
from billing.ports.delivery import Mailer, OutgoingMail


class EmailChannel:
    """Port AlertChannel."""

    def __init__(self, mailer: Mailer, recipients: ReadRecipients, *, reply_to: str) -> None:
        self._mailer = mailer
        self._recipients = recipients
        self._reply_to = reply_to

    def send(self, notice: Notice, *, reached: frozenset[str]) -> Sent:
        emails = self._recipients().emails
        if not emails:
            return Sent(unused=True)
        told, error = [], ""
        for email in emails:
            mark = fingerprint(email)
            if mark in reached:
                continue
            try:
                self._mailer.send(self._mail(notice, email, mark), hand_over=_nothing)
            except (MailRefused, MailTemporarilyRefused, MailUnconfirmed) as refused:
                error = type(refused).__name__
            else:
                told.append(mark)
        return Sent(reached=tuple(told), error=error)

    def _mail(self, notice: Notice, email: str, mark: str) -> OutgoingMail:
        paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in notice.lines)
        return OutgoingMail(
            sender_name="Supervision",
            reply_to=self._reply_to,
            recipient=email,
            recipient_name="",
            subject=notice.title,
            text="\n\n".join((notice.title, *notice.lines)) + "\n",
            html=f"<html><body><h1>{html.escape(notice.title)}</h1>{paragraphs}</body></html>",
            attachment_name="",
            attachment=b"",
            delivery_reference=f"alert.{notice.notice_id}.{mark}",
            message_id=f"alert.{notice.notice_id}.{mark}",
            sent_at=notice.created_at,
        )


def _nothing() -> None:
    """An alert that is told twice harms nobody: nothing has to be marked before it leaves."""

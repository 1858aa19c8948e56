"""E-mail, through what sends our other mail."""

from __future__ import annotations

import html
import re

from billing.adapters.alert_channels.recipients import ReadRecipients, fingerprint
from billing.domain.alert_texts import is_recovery
from billing.domain.alerts import AlertSeverity, Notice, Sent
from billing.domain.errors import MailRefused, MailTemporarilyRefused, MailUnconfirmed
from billing.ports.delivery import Mailer, OutgoingMail

GREEN = "#1a7f37"
_COLOURS = {AlertSeverity.INFO: "#0969da", AlertSeverity.WARNING: "#bc4c00", AlertSeverity.CRITICAL: "#cf222e"}
_LINK = re.compile(r"https://[^\s<>\"]+")


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
        return OutgoingMail(
            sender_name="Supervision",
            reply_to=self._reply_to,
            recipient=email,
            recipient_name="",
            subject=notice.title,
            text="\n\n".join((notice.title, *notice.lines)) + "\n",
            html=_page(notice),
            attachment_name="",
            attachment=b"",
            delivery_reference=f"alert.{notice.notice_id}.{mark}",
            message_id=f"alert.{notice.notice_id}.{mark}",
            sent_at=notice.created_at,
        )


def _page(notice: Notice) -> str:
    """As mail programs draw it: a coloured edge that says how bad it is, a line each, links that can be clicked."""
    colour = GREEN if is_recovery(notice) else _COLOURS[notice.severity]
    lines = "".join(f'<p style="margin:0 0 8px">{_linked(line)}</p>' for line in notice.lines)
    return (
        f'<html lang="fr"><head><meta charset="utf-8"><title>{html.escape(notice.title)}</title></head>'
        '<body style="margin:0;padding:24px;background:#f4f4f5;font:15px/1.5 Arial,Helvetica,sans-serif;color:#1f2328">'
        f'<div style="max-width:640px;background:#fff;border-left:6px solid {colour};padding:20px 24px">'
        f'<h1 style="margin:0 0 14px;font-size:19px;line-height:1.35;color:{colour}">{html.escape(notice.title)}</h1>'
        f"{lines}</div></body></html>"
    )


def _linked(line: str) -> str:
    return _LINK.sub(r'<a href="\g<0>">\g<0></a>', html.escape(line))


def _nothing() -> None:
    """An alert that is told twice harms nobody: nothing has to be marked before it leaves."""

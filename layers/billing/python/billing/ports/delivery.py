"""Rendering, storing and mailing documents; starting workflows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from billing.domain.acquittal import Acquittal
from billing.domain.deliverable import Printable
from billing.domain.invoice import InvoiceDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadLink:
    url: str
    expires_at: datetime


class Documents(Protocol):
    """The document store. Keys start with the tenant; stored documents are never overwritten."""

    def put(self, key: str, content: bytes, *, media_type: str, kept_until: date | None = None) -> None:
        """Store once: the same key with the same bytes again is no change. Raises: DependencyUnavailable.

        ``kept_until``: nobody can delete or replace it before that day.
        """
        ...

    def keep(self, key: str, until: date) -> None:
        """What is stored already is kept until a day; longer when it was. Raises: NotFound, DependencyUnavailable."""
        ...

    def get(self, key: str) -> bytes | None: ...

    def link(self, key: str, *, file_name: str, now: datetime) -> DownloadLink:
        """A presigned address that lives five minutes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedXml:
    """The document as XML inside of its PDF; ``metadata`` is what the PDF's XMP says of it, RDF descriptions."""

    name: str
    content: bytes
    description: str
    metadata: str


class XmlWriter(Protocol):
    def __call__(self, document: InvoiceDocument) -> EmbeddedXml:
        """The same document gives the same bytes."""
        ...


class MarkKind(StrEnum):
    DRAFT = "draft"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is written across every page of what is not the original.

    ``asks``: all of the amount due is still owed, so that the code of a transfer may ask for it; ``settled``: none of
    it is. Of an invoice of which something was paid or credited, in cents: what was paid and is kept, what was
    credited, what is left.
    """

    kind: MarkKind
    acquittal: Acquittal | None = None
    asks: bool = False
    settled: bool = False
    kept_minor: int = 0
    credited_minor: int = 0
    left_minor: int = 0


DRAFT_MARK = Mark(kind=MarkKind.DRAFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFile:
    """A PDF that is handed over as it was drawn."""

    name: str
    content: bytes


class DocumentRenderer(Protocol):
    def render(self, issued: Printable, *, logo: bytes | None, pay_url: str = "") -> bytes:
        """A PDF/A-3b; the same document gives the same bytes. Raises: InvalidInput for a missing glyph.

        ``pay_url``: where it is paid online, as a link and a code.
        """
        ...

    def render_marked(self, issued: Printable, mark: Mark, *, logo: bytes | None) -> bytes:
        """The same pages under a mark, without XML: no Factur-X. Deterministic, and raises, as ``render``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What checked picture bytes are; width and height in pixels as displayed (EXIF rotation applied)."""

    sha256: str
    media_type: str
    width: int
    height: int


class LogoChecker(Protocol):
    def check(self, content: bytes) -> Picture:
        """Raises: InvalidInput."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedFile:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """``delivery_reference`` travels with the mail so that the provider's events can be matched to it.

    Without an ``attachment_name`` nothing is attached.
    """

    sender_name: str
    reply_to: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    attachment_name: str
    attachment: bytes
    delivery_reference: str
    message_id: str
    sent_at: datetime
    further: tuple[MailedFile, ...] = ()  # after the document itself
    language: str = "fr"


class Mailer(Protocol):
    def send(self, mail: OutgoingMail, *, hand_over: Callable[[], None]) -> str:
        """The provider's id of the accepted message. Never retries by itself.

        ``hand_over`` is called once, with everything made ready, as the last thing before the content leaves.
        What it raises passes through, and nothing is sent.

        Raises:
            MailTemporarilyRefused: nothing was taken; a retry is safe.
            MailRefused: refused for good.
            MailUnconfirmed: cut after the transmission began.
        """
        ...


class Workflows(Protocol):
    def start_delivery(self, *, name: str, tenant_id: str, invoice_id: str, attempt: int, correlation_id: str) -> None:
        """Start once by name: the same name again is success. Raises: DependencyUnavailable."""
        ...

    def start_verification(self, *, name: str, tenant_id: str, verification_id: str, correlation_id: str) -> None: ...

    def start_bulk_job(self, *, name: str, tenant_id: str, bulk_job_id: str, run: int, correlation_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One dependency as just seen; milliseconds."""

    name: str
    healthy: bool
    latency_ms: int


class HealthProbes(Protocol):
    def run(self) -> tuple[Probe, ...]: ...

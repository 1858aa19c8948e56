"""Fakes around a document's way to its customer: store, renderer, mail relay, workflows, probes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto

from billing.domain.conformity import RuleSet, Violation
from billing.domain.deliverable import Printable
from billing.domain.errors import (
    DependencyUnavailable,
    InvalidInput,
    MailRefused,
    MailTemporarilyRefused,
    MailUnconfirmed,
    NotFound,
)
from billing.domain.invoice import InvoiceDocument
from billing.ports.delivery import DownloadLink, EmbeddedXml, Mark, OutgoingMail, Picture, Probe


class FakeDocuments:
    """Port Documents. Refuses to overwrite: that would be a bug of its caller."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.media_types: dict[str, str] = {}
        self.kept_until: dict[str, date] = {}

    def put(self, key: str, content: bytes, *, media_type: str, kept_until: date | None = None) -> None:
        if self.stored.setdefault(key, content) != content:
            raise AssertionError(f"{key} would be overwritten with other bytes")
        self.media_types[key] = media_type
        if kept_until is not None:
            self.kept_until.setdefault(key, kept_until)

    def keep(self, key: str, until: date) -> None:
        if key not in self.stored:
            raise NotFound
        self.kept_until[key] = max(until, self.kept_until.get(key, until))

    def get(self, key: str) -> bytes | None:
        return self.stored.get(key)

    def link(self, key: str, *, file_name: str, now: datetime) -> DownloadLink:
        return DownloadLink(url=f"https://documents.test/{key}?as={file_name}", expires_at=now + timedelta(minutes=5))


@dataclass
class FakeConformityRules:
    """Port ConformityRules: refuses what it is told to; counts how often it was asked."""

    broken: tuple[Violation, ...] = ()
    asked: int = 0

    def judge(self, xml: bytes, pdf: bytes, rules: RuleSet) -> tuple[Violation, ...]:
        assert xml
        assert pdf
        assert rules.name
        self.asked += 1
        return self.broken


def fake_xml(document: InvoiceDocument) -> EmbeddedXml:
    """Port XmlWriter."""
    return EmbeddedXml(name="factur-x.xml", content=document.number.encode(), description="", metadata="")


class FakeRenderer:
    """Port InvoiceRenderer: the same document gives the same bytes."""

    def __init__(self, tail: bytes = b"") -> None:
        self.missing_glyph = False
        self._tail = tail
        self.marked: list[tuple[Printable, Mark]] = []

    def render(self, issued: Printable, *, logo: bytes | None, pay_url: str = "") -> bytes:
        if self.missing_glyph:
            raise InvalidInput("Caractère introuvable.", "No glyph for this character.")
        return b"%PDF " + issued.document_hash.encode() + b" logo " + (logo or b"none") + pay_url.encode() + self._tail

    def render_marked(self, issued: Printable, mark: Mark, *, logo: bytes | None) -> bytes:
        self.marked.append((issued, mark))
        return b"%PDF " + mark.kind.encode() + b" logo " + (logo or b"none")


class Relay(Enum):
    """How the mail relay behaves at one call."""

    ACCEPTS = auto()
    GREYLISTS = auto()  # 4xx before the message was taken
    REFUSES = auto()  # 5xx, likewise
    GREYLISTS_THE_CONTENT = auto()  # 4xx after it
    REFUSES_THE_CONTENT = auto()  # 5xx after it
    CUTS_AFTER_TAKING = auto()  # the mail left; its answer was lost
    CUTS_BEFORE_TAKING = auto()  # nothing left; nobody can tell


@dataclass
class FakeMailer:
    """Port Mailer. ``script`` gives the behaviour of the next calls, ACCEPTS once it is used up."""

    script: list[Relay] = field(default_factory=list)
    accepted: list[OutgoingMail] = field(default_factory=list)
    while_sending: Callable[[OutgoingMail], object] = lambda _: None

    def send(self, mail: OutgoingMail, *, hand_over: Callable[[], None]) -> str:
        behaviour = self.script.pop(0) if self.script else Relay.ACCEPTS
        if behaviour is Relay.GREYLISTS:
            raise MailTemporarilyRefused
        if behaviour is Relay.REFUSES:
            raise MailRefused
        hand_over()
        if behaviour is Relay.GREYLISTS_THE_CONTENT:
            raise MailTemporarilyRefused
        if behaviour is Relay.REFUSES_THE_CONTENT:
            raise MailRefused
        if behaviour is not Relay.CUTS_BEFORE_TAKING:
            self.accepted.append(mail)
            self.while_sending(mail)
        if behaviour in {Relay.CUTS_AFTER_TAKING, Relay.CUTS_BEFORE_TAKING}:
            raise MailUnconfirmed
        return f"provider-{len(self.accepted)}"


@dataclass
class FakeWorkflows:
    """Port Workflows: executions by name, started once each, with the input they got."""

    deliveries: dict[str, tuple[str, str, int, str]] = field(default_factory=dict)
    verifications: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    bulk_jobs: dict[str, tuple[str, str, int, str]] = field(default_factory=dict)
    down_for: set[str] = field(default_factory=set)

    def start_delivery(self, *, name: str, tenant_id: str, invoice_id: str, attempt: int, correlation_id: str) -> None:
        self._reach(invoice_id)
        self.deliveries.setdefault(name, (tenant_id, invoice_id, attempt, correlation_id))

    def start_verification(self, *, name: str, tenant_id: str, verification_id: str, correlation_id: str) -> None:
        self._reach(verification_id)
        self.verifications.setdefault(name, (tenant_id, verification_id, correlation_id))

    def start_bulk_job(self, *, name: str, tenant_id: str, bulk_job_id: str, run: int, correlation_id: str) -> None:
        self._reach(bulk_job_id)
        self.bulk_jobs.setdefault(name, (tenant_id, bulk_job_id, run, correlation_id))

    def _reach(self, subject_id: str) -> None:
        if subject_id in self.down_for:
            raise DependencyUnavailable


class FakeLogoChecker:
    """Port LogoChecker: takes what begins like a PNG."""

    def check(self, content: bytes) -> Picture:
        if not content.startswith(b"\x89PNG"):
            raise InvalidInput("Image illisible.", "Not a usable picture.", pointer="/logo")
        return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type="image/png", width=200, height=80)


@dataclass
class FakeHealthProbes:
    """Port HealthProbes."""

    failing: frozenset[str] = frozenset()
    names: tuple[str, ...] = ("table", "documents", "identity", "workflows", "mail")

    def run(self) -> tuple[Probe, ...]:
        return tuple(Probe(name=name, healthy=name not in self.failing, latency_ms=3) for name in self.names)

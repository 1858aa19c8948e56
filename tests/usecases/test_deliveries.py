"""From an issued invoice to its customer's mailbox: one mail whatever is retried, repeated or cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from billing.domain.delivery import ClaimState, DeliveryOutcome, DeliveryState
from billing.domain.errors import (
    InvalidInput,
    MailRefused,
    MailTemporarilyRefused,
    MailUnconfirmed,
    NotFound,
)
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.parties import LegalForm
from billing.usecases.deliveries import PdfDiffers, delivery_reference, parse_reference, receive_mail_event, restore_pdf
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.delivery import FakeRenderer, Relay
from tests.fakes.links import FakeLinkSecrets
from tests.usecases.conftest import Shop

RECIPIENT = "compta@modele.example"
MAIL_TRIES = 3


def _event(shop: Shop, invoice: IssuedInvoice, state: ClaimState, *, attempt: int = 1, message_id: str = "") -> bool:
    return receive_mail_event(
        delivery_reference(invoice.tenant_id, invoice.invoice_id, attempt),
        RECIPIENT,
        state,
        message_id,
        deliveries=shop.repositories.deliveries,
        clock=shop.clock,
        ids=shop.ids,
    )


def _deliver(shop: Shop, invoice: IssuedInvoice, *, attempt: int = 1, crash: CrashPoint | None = None) -> None:
    """One execution of the state machine: render, mail with retries, record; errors are caught and recorded."""

    def watched(port: Any) -> Any:
        return crash.watch(port) if crash else port

    stored = watched(shop.repositories.deliveries)
    documents, mailer = watched(shop.documents), watched(shop.mailer)
    links = watched(shop.repositories.invoice_links)
    error = None
    try:
        rendering = shop.render(
            invoice, attempt, deliveries=stored, documents=documents, renderer=watched(shop.renderer)
        )
        for left in reversed(range(MAIL_TRIES if rendering.send else 0)):
            try:
                shop.mail(invoice, attempt, deliveries=stored, documents=documents, mailer=mailer, links=links)
            except MailTemporarilyRefused:
                if not left:
                    raise
            else:
                break
    except (InvalidInput, MailRefused, MailTemporarilyRefused, MailUnconfirmed) as refusal:
        error = type(refusal).__name__
    shop.record(invoice, attempt, error=error, deliveries=stored)


def _outcome(shop: Shop, invoice: IssuedInvoice, attempt: int = 1) -> DeliveryOutcome:
    outcome = shop.repositories.deliveries.request(invoice.tenant_id, invoice.invoice_id, attempt).outcome
    assert outcome is not None
    return outcome


def _told(shop: Shop, invoice: IssuedInvoice) -> list[EventType]:
    return [event.event_type for event in shop.events(invoice.invoice_id)][2:]


def test_the_pdf_is_stored_mailed_and_recorded(shop: Shop) -> None:
    invoice = shop.issue(send=True)

    _deliver(shop, invoice)

    stored = shop.stored(invoice)
    assert stored.delivery.state is DeliveryState.SENT
    assert not stored.delivery.in_progress
    assert stored.delivery.pdf is not None
    content = shop.documents.stored[stored.delivery.pdf.key]
    assert stored.delivery.pdf.size_bytes == len(content)
    assert stored.delivery.pdf.key.startswith(f"{invoice.tenant_id}/")
    (mail,) = shop.mailer.accepted
    assert (mail.recipient, mail.attachment, mail.attachment_name) == (RECIPIENT, content, "F2026-00001.pdf")
    assert mail.reply_to == invoice.document.seller.email
    assert parse_reference(mail.delivery_reference) == (invoice.tenant_id, invoice.invoice_id, 1)
    assert _told(shop, invoice) == [EventType.PDF_RENDERED, EventType.INVOICE_SENT]


def test_an_invoice_that_is_not_sent_is_only_rendered(shop: Shop) -> None:
    invoice = shop.issue()

    _deliver(shop, invoice)

    assert shop.stored(invoice).delivery.state is DeliveryState.NOT_SENT
    assert shop.stored(invoice).delivery.pdf is not None
    assert shop.mailer.accepted == []
    with pytest.raises(NotFound):
        shop.mail(invoice)


def test_a_sole_traders_mail_is_signed_with_ei() -> None:
    shop = Shop()
    shop.describe(legal_name="Entreprise Exemple", legal_form=LegalForm.SOLE_TRADER)

    invoice = shop.issue(send=True)
    _deliver(shop, invoice)

    assert shop.mailer.accepted[0].sender_name == "Entreprise Exemple EI"


def test_the_logo_frozen_in_the_document_is_the_one_drawn(shop: Shop) -> None:
    shop.documents.put("logo-key", b"\x89PNG old", media_type="image/png")
    stored = shop.repositories.companies.read(shop.caller)
    assert stored is not None
    logo = factories.logo("logo-key")
    shop.repositories.companies.save(
        shop.caller, replace(stored, version=2, logo=logo), event=factories.event("evt_logo")
    )

    rendering = shop.render(shop.issue())

    assert b"PNG old" in shop.documents.stored[rendering.pdf_key]


def test_a_pdf_is_rendered_once_and_the_stored_bytes_serve_every_attempt(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    _deliver(shop, invoice)
    shop.send(invoice.invoice_id)

    _deliver(shop, invoice, attempt=2)

    assert len([key for key in shop.documents.stored if key.endswith(".pdf")]) == 1
    first, second = shop.mailer.accepted
    assert first.attachment == second.attachment
    assert first.message_id != second.message_id


@pytest.mark.parametrize(
    ("script", "state", "error", "mails"),
    [
        pytest.param([Relay.ACCEPTS], DeliveryState.SENT, "", 1, id="accepts"),
        pytest.param([Relay.GREYLISTS, Relay.ACCEPTS], DeliveryState.SENT, "", 1, id="greylists-once"),
        pytest.param([Relay.GREYLISTS] * 3, DeliveryState.FAILED, "MailTemporarilyRefused", 0, id="greylists-for-good"),
        pytest.param([Relay.REFUSES], DeliveryState.FAILED, "MailRefused", 0, id="refuses"),
        pytest.param(
            [Relay.GREYLISTS_THE_CONTENT, Relay.ACCEPTS], DeliveryState.SENT, "", 1, id="greylists-the-content-once"
        ),
        pytest.param([Relay.REFUSES_THE_CONTENT], DeliveryState.FAILED, "MailRefused", 0, id="refuses-the-content"),
        pytest.param([Relay.CUTS_AFTER_TAKING], DeliveryState.UNCONFIRMED, "MailUnconfirmed", 1, id="cut-after"),
        pytest.param([Relay.CUTS_BEFORE_TAKING], DeliveryState.UNCONFIRMED, "MailUnconfirmed", 0, id="cut-before"),
    ],
)
def test_what_the_relay_did_is_what_the_invoice_says(
    shop: Shop, script: list[Relay], state: DeliveryState, error: str, mails: int
) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.script = script

    _deliver(shop, invoice)

    delivery = shop.stored(invoice).delivery
    assert (delivery.state, delivery.error, delivery.in_progress) == (state, error, False)
    assert len(shop.mailer.accepted) == mails
    assert _outcome(shop, invoice).state is state


@pytest.mark.parametrize("script", [[Relay.GREYLISTS] * 3, [Relay.REFUSES], [Relay.CUTS_AFTER_TAKING]])
def test_running_an_ended_attempt_again_sends_nothing(shop: Shop, script: list[Relay]) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.script = list(script)
    _deliver(shop, invoice)
    mails, outcome = len(shop.mailer.accepted), _outcome(shop, invoice)

    _deliver(shop, invoice)

    assert len(shop.mailer.accepted) == mails
    assert _outcome(shop, invoice) == outcome


def test_sending_again_after_a_failure_is_a_new_attempt(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.script = [Relay.REFUSES]
    _deliver(shop, invoice)
    shop.send(invoice.invoice_id)

    _deliver(shop, invoice, attempt=2)

    assert shop.stored(invoice).delivery.state is DeliveryState.SENT
    assert shop.stored(invoice).delivery.error == ""


def test_a_document_that_cannot_be_drawn_fails_visibly(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.renderer.missing_glyph = True

    _deliver(shop, invoice)

    delivery = shop.stored(invoice).delivery
    assert (delivery.state, delivery.error, delivery.pdf) == (DeliveryState.FAILED, "InvalidInput", None)
    assert _told(shop, invoice) == [EventType.DELIVERY_FAILED]


def test_a_rendering_that_fails_without_a_mail_is_told_too(shop: Shop) -> None:
    invoice = shop.issue()
    shop.renderer.missing_glyph = True

    _deliver(shop, invoice)

    delivery = shop.stored(invoice).delivery
    assert (delivery.state, delivery.error, delivery.in_progress) == (DeliveryState.NOT_SENT, "InvalidInput", False)
    assert _told(shop, invoice) == [EventType.DELIVERY_FAILED]


def test_a_payment_during_the_delivery_is_kept(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.while_sending = lambda _: shop.pay(invoice.invoice_id, 5_000)

    _deliver(shop, invoice)

    stored = shop.stored(invoice)
    assert (stored.ledger.paid_minor, stored.delivery.state) == (5_000, DeliveryState.SENT)


def test_a_run_given_up_meanwhile_never_mails_what_is_recorded_as_failed(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.mailer.script = [Relay.GREYLISTS]
    with pytest.raises(MailTemporarilyRefused):
        shop.mail(invoice)
    shop.record(invoice, error="ExecutionsExhausted")

    with pytest.raises(MailRefused):
        shop.mail(invoice)

    assert shop.mailer.accepted == []
    assert shop.stored(invoice).delivery.state is DeliveryState.FAILED


def test_a_run_given_up_before_its_mail_was_claimed_never_mails(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.record(invoice, error="ExecutionsExhausted")

    with pytest.raises(MailRefused):
        shop.mail(invoice)

    assert shop.mailer.accepted == []


def test_a_mail_accepted_after_the_run_was_given_up_is_shown_as_sent(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.mailer.while_sending = lambda _: shop.record(invoice, error="ExecutionsExhausted")
    shop.mail(invoice)
    assert shop.stored(invoice).delivery.state is DeliveryState.UNCONFIRMED

    shop.record(invoice)

    assert shop.stored(invoice).delivery.state is DeliveryState.SENT


def _calls_of_one_delivery(script: list[Relay]) -> int:
    shop = Shop()
    shop.describe()
    shop.mailer.script = list(script)
    counting = CrashPoint(at=0, after=False)
    _deliver(shop, shop.issue(send=True), crash=counting)
    return counting.calls


SCRIPTS: dict[str, list[Relay]] = {
    "accepts": [Relay.ACCEPTS],
    "greylists": [Relay.GREYLISTS, Relay.ACCEPTS],
    "refuses": [Relay.REFUSES],
    "refuses the content": [Relay.GREYLISTS_THE_CONTENT, Relay.REFUSES_THE_CONTENT],
    "cuts": [Relay.CUTS_AFTER_TAKING],
}
CRASHES = [
    pytest.param(name, at, after, id=f"{name}-{'after' if after else 'before'}-{at}")
    for name, script in SCRIPTS.items()
    for at in range(1, _calls_of_one_delivery(script) + 1)
    for after in (False, True)
]


@pytest.mark.parametrize(("script", "at", "after"), CRASHES)
def test_a_crash_anywhere_ends_in_one_mail_at_most_and_an_honest_outcome(
    shop: Shop,
    script: str,
    at: int,
    after: bool,
) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.script = list(SCRIPTS[script])
    with pytest.raises(Crashed):
        _deliver(shop, invoice, crash=CrashPoint(at=at, after=after))

    _deliver(shop, invoice)
    _deliver(shop, invoice)

    delivery = shop.stored(invoice).delivery
    mails = len(shop.mailer.accepted)
    assert mails <= 1
    assert not delivery.in_progress
    assert _outcome(shop, invoice).state is delivery.state
    expected = {
        DeliveryState.SENT: {1},
        DeliveryState.FAILED: {0},
        DeliveryState.UNCONFIRMED: {0, 1},
    }
    assert mails in expected[delivery.state]
    if script == "accepts" and delivery.state is not DeliveryState.UNCONFIRMED:
        assert delivery.state is DeliveryState.SENT
    assert len(_told(shop, invoice)) == 2


def _sent(shop: Shop, *events: ClaimState) -> IssuedInvoice:
    invoice = shop.issue(send=True)
    _deliver(shop, invoice)
    for state in events:
        _event(shop, invoice, state)
    return invoice


A, D, B, R = ClaimState.ACCEPTED, ClaimState.DELIVERED, ClaimState.BOUNCED, ClaimState.REFUSED


@pytest.mark.parametrize(
    ("events", "state"),
    [
        pytest.param((A,), DeliveryState.SENT, id="accepted-again"),
        pytest.param((D,), DeliveryState.DELIVERED, id="delivered"),
        pytest.param((D, D, A), DeliveryState.DELIVERED, id="repeated-and-late"),
        pytest.param((B,), DeliveryState.BOUNCED, id="bounced"),
        pytest.param((D, B), DeliveryState.BOUNCED, id="bounced-after-delivery"),
        pytest.param((B, D), DeliveryState.BOUNCED, id="a-late-delivery-does-not-hide-a-bounce"),
        pytest.param((R,), DeliveryState.FAILED, id="refused-after-acceptance"),
    ],
)
def test_provider_events_move_a_delivery_forward_only(
    shop: Shop, events: tuple[ClaimState, ...], state: DeliveryState
) -> None:
    invoice = _sent(shop, *events)

    assert shop.stored(invoice).delivery.state is state
    assert len(_told(shop, invoice)) == len(set(_told(shop, invoice)))


def test_a_repeated_event_says_that_nothing_changed(shop: Shop) -> None:
    invoice = _sent(shop)

    assert _event(shop, invoice, D) is True
    assert _event(shop, invoice, D) is False
    assert _event(shop, invoice, A) is False


def test_an_event_confirms_a_mail_that_was_cut(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.script = [Relay.CUTS_AFTER_TAKING]
    _deliver(shop, invoice)

    assert _event(shop, invoice, ClaimState.ACCEPTED, message_id="ses-1")

    assert shop.stored(invoice).delivery.state is DeliveryState.SENT
    assert shop.stored(invoice).delivery.error == ""
    claim = shop.repositories.deliveries.read_mail(invoice.tenant_id, invoice.invoice_id, 1, RECIPIENT)
    assert claim is not None
    assert claim.provider_message_id == "ses-1"


@pytest.mark.parametrize(("state", "shown"), [(D, DeliveryState.DELIVERED), (B, DeliveryState.BOUNCED)])
def test_an_event_that_overtakes_the_answer_of_the_relay_is_kept(
    shop: Shop, state: ClaimState, shown: DeliveryState
) -> None:
    invoice = shop.issue(send=True)
    shop.mailer.while_sending = lambda _: _event(shop, invoice, state)

    _deliver(shop, invoice)

    assert shop.stored(invoice).delivery.state is shown
    assert _outcome(shop, invoice).state is shown


def test_an_event_between_mail_and_record_is_kept(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.mail(invoice)
    _event(shop, invoice, D)
    assert shop.stored(invoice).delivery.in_progress

    shop.record(invoice)

    assert shop.stored(invoice).delivery.state is DeliveryState.DELIVERED


def test_an_event_of_an_earlier_attempt_does_not_speak_for_the_latest(shop: Shop) -> None:
    invoice = _sent(shop)
    shop.send(invoice.invoice_id)
    _deliver(shop, invoice, attempt=2)

    assert _event(shop, invoice, B, attempt=1)

    assert shop.stored(invoice).delivery.state is DeliveryState.SENT


@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize("after", [False, True])
def test_an_event_that_comes_again_after_a_crash_reaches_the_head(
    shop: Shop,
    at: int,
    after: bool,
) -> None:
    invoice = _sent(shop)
    crash = CrashPoint(at=at, after=after)
    reference = delivery_reference(invoice.tenant_id, invoice.invoice_id, 1)

    def receive(deliveries: Any) -> None:
        receive_mail_event(reference, RECIPIENT, B, "", deliveries=deliveries, clock=shop.clock, ids=shop.ids)

    try:
        receive(crash.watch(shop.repositories.deliveries))
    except Crashed:
        receive(shop.repositories.deliveries)

    assert shop.stored(invoice).delivery.state is DeliveryState.BOUNCED


def test_an_event_during_a_crashed_record_reaches_the_head_when_it_runs_again(shop: Shop) -> None:
    overtaken = 0
    for at, after in itertools.product(range(1, 10), (False, True)):
        invoice = shop.issue(send=True)
        shop.render(invoice)
        shop.mail(invoice)
        crash = CrashPoint(at=at, after=after)
        try:
            shop.record(invoice, deliveries=_Overtaken(crash.watch(shop.repositories.deliveries), shop, invoice))
        except Crashed:
            shop.record(invoice)

        claim = shop.repositories.deliveries.read_mail(invoice.tenant_id, invoice.invoice_id, 1, RECIPIENT)
        assert claim is not None
        overtaken += claim.state is D
        shown = DeliveryState.DELIVERED if claim.state is D else DeliveryState.SENT
        assert shop.stored(invoice).delivery.state is shown

    assert overtaken > 5


class _Overtaken:
    """The provider's event arrives between the look at the claim and the outcome."""

    def __init__(self, deliveries: Any, shop: Shop, invoice: IssuedInvoice) -> None:
        self._deliveries = deliveries
        self._arrive: Callable[[], object] = lambda: _event(shop, invoice, D)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deliveries, name)

    def settle(self, *args: Any, **kwargs: Any) -> None:
        self._arrive()
        self._deliveries.settle(*args, **kwargs)


@pytest.mark.parametrize(
    "reference",
    ["", "a.b", "a.b.c", "a.b.0", "a.b.-1", "a.b.1.2", "..1", "a.b.1 ", "a.b.²", "a.b.٣", "a.b." + "9" * 5000],
)
def test_a_reference_that_is_not_ours_is_ignored(shop: Shop, reference: str) -> None:
    assert parse_reference(reference) is None
    assert not receive_mail_event(
        reference, RECIPIENT, D, "", deliveries=shop.repositories.deliveries, clock=shop.clock, ids=shop.ids
    )


def test_an_event_for_a_mail_we_never_sent_is_ignored(shop: Shop) -> None:
    invoice = shop.issue()

    assert not _event(shop, invoice, D)


def _restore(shop: Shop, document_id: str) -> bool:
    return restore_pdf(
        shop.caller.tenant_id,
        document_id,
        deliveries=shop.repositories.deliveries,
        documents=shop.documents,
        renderer=shop.renderer,
        secrets=FakeLinkSecrets(),
    )


def test_a_pdf_that_was_lost_is_drawn_again_when_it_is_the_same(shop: Shop) -> None:
    invoice = shop.issue()
    with pytest.raises(NotFound):
        _restore(shop, invoice.invoice_id)
    pdf_key = shop.render(invoice).pdf_key
    lost = shop.documents.stored.pop(pdf_key)
    kept_until = shop.documents.kept_until.pop(pdf_key)

    assert _restore(shop, invoice.invoice_id)
    assert shop.documents.stored[pdf_key] == lost
    assert shop.documents.kept_until[pdf_key] == kept_until
    assert not _restore(shop, invoice.invoice_id)


def test_what_is_not_the_same_is_neither_stored_nor_passed_over(shop: Shop) -> None:
    invoice = shop.issue()
    pdf_key = shop.render(invoice).pdf_key
    del shop.documents.stored[pdf_key]
    shop.renderer = FakeRenderer(tail=b"another template")

    with pytest.raises(PdfDiffers):
        _restore(shop, invoice.invoice_id)
    assert pdf_key not in shop.documents.stored

    shop.documents.stored[pdf_key] = b"other bytes"
    with pytest.raises(PdfDiffers):
        _restore(shop, invoice.invoice_id)

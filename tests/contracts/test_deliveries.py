"""Deliveries, the outbox and verifications: what workflows write, without a caller."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from billing.domain.delivery import (
    ATTEMPTED_AGAIN_AFTER,
    ClaimState,
    DeliveryOutcome,
    DeliveryRequest,
    DeliveryState,
    MailClaim,
    StoredPdf,
)
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.numbering import Series
from billing.domain.verification import ChainPosition, Finding, Rule, Verification, VerificationState, check_page
from billing.ports.paging import PageRequest
from billing.ports.repositories import OpenRequest
from tests import factories
from tests.contracts.conftest import UNTOUCHED, World
from tests.fakes.clock import MORNING

PDF = StoredPdf(key="k", sha256="s", size_bytes=3, rendered_at=MORNING)
RECIPIENT = "compta@modele.example"
LATER = MORNING + timedelta(minutes=20)


def _claim(world: World, invoice: IssuedInvoice, state: ClaimState = ClaimState.CLAIMED) -> MailClaim:
    return MailClaim(
        tenant_id=world.caller.tenant_id,
        invoice_id=invoice.invoice_id,
        attempt=1,
        recipient=RECIPIENT,
        state=state,
        updated_at=MORNING,
    )


def _settle(world: World, invoice: IssuedInvoice, state: DeliveryState) -> IssuedInvoice:
    deliveries = world.repositories.deliveries
    outcome = DeliveryOutcome(state=state, pdf=PDF)
    head = invoice.with_delivery(invoice.delivery.settled(outcome, attempt=invoice.delivery.attempt), LATER)
    request = deliveries.request(world.caller.tenant_id, invoice.invoice_id, 1)
    event = factories.event(world.new_id("evt"), EventType.INVOICE_SENT)
    deliveries.settle(head, replace(request, outcome=outcome), event=event)
    return head


def _waiting(world: World, *, before: datetime = LATER) -> list[OpenRequest]:
    requests = world.repositories.requests
    found = [request for shard in range(requests.shards) for request in requests.stale(before, shard=shard, limit=1000)]
    return [request for request in found if request.tenant_id == world.caller.tenant_id]


def test_a_draft_is_no_delivery(world: World) -> None:
    draft = world.add_draft()

    with pytest.raises(NotFound):
        world.repositories.deliveries.invoice(world.caller.tenant_id, draft.invoice_id)
    with pytest.raises(NotFound):
        world.repositories.deliveries.request(world.caller.tenant_id, draft.invoice_id, 1)


def test_the_head_gains_its_pdf_once(world: World) -> None:
    invoice = world.issue()
    deliveries = world.repositories.deliveries

    first = deliveries.record_pdf(world.caller.tenant_id, invoice.invoice_id, PDF, event=factories.event("evt_a"))
    other = replace(PDF, key="other")
    second = deliveries.record_pdf(world.caller.tenant_id, invoice.invoice_id, other, event=factories.event("evt_b"))

    assert first.delivery.pdf == second.delivery.pdf == PDF
    assert first.version == invoice.version + 1
    assert deliveries.invoice(world.caller.tenant_id, invoice.invoice_id) == first
    events = world.repositories.invoices.timeline(world.caller, invoice.invoice_id, PageRequest()).items
    assert "evt_b" not in {event.event_id for event in events}


def test_an_attempt_is_settled_once(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    head = _settle(world, invoice, DeliveryState.SENT)

    with pytest.raises(StaleVersion):
        _settle(world, invoice, DeliveryState.FAILED)
    with pytest.raises(StaleVersion):
        _settle(world, head, DeliveryState.FAILED)

    deliveries = world.repositories.deliveries
    assert deliveries.invoice(world.caller.tenant_id, invoice.invoice_id) == head
    outcome = deliveries.request(world.caller.tenant_id, invoice.invoice_id, 1).outcome
    assert outcome == DeliveryOutcome(state=DeliveryState.SENT, pdf=PDF)


def _fail(world: World, invoice: IssuedInvoice) -> tuple[IssuedInvoice, DeliveryRequest]:
    deliveries = world.repositories.deliveries
    request = deliveries.request(world.caller.tenant_id, invoice.invoice_id, 1)
    outcome = DeliveryOutcome(state=DeliveryState.FAILED, error="DependencyUnavailable", pdf=PDF)
    failed = request.ended(outcome, MORNING, may_repeat=True)
    assert failed.outcome is not None
    head = invoice.with_delivery(invoice.delivery.settled(failed.outcome, attempt=1), LATER)
    deliveries.settle(head, failed, event=None)
    return head, failed


def _due_again(world: World, at: datetime) -> list[DeliveryRequest]:
    deliveries = world.repositories.deliveries
    found = [one for shard in range(deliveries.shards) for one in deliveries.due_again(at, shard=shard, limit=1000)]
    return [one for one in found if one.tenant_id == world.caller.tenant_id]


def test_a_failed_attempt_is_due_again_once(world: World) -> None:
    deliveries = world.repositories.deliveries
    head, failed = _fail(world, world.issue(send_to=RECIPIENT))
    due = MORNING + ATTEMPTED_AGAIN_AFTER[0]
    assert _due_again(world, due - timedelta(seconds=1)) == []
    assert _due_again(world, due) == [failed]
    assert _waiting(world, before=due) == []  # it is settled: nothing of it is started again

    opened = head.with_delivery(head.delivery.requested(send=True), LATER)
    request = failed.repeated(2, LATER)
    event = factories.event(world.new_id("evt"), EventType.DELIVERY_REQUESTED)
    deliveries.attempt_again(opened, failed.left(), request, event=event)

    assert deliveries.request(world.caller.tenant_id, head.invoice_id, 2) == request
    assert deliveries.invoice(world.caller.tenant_id, head.invoice_id) == opened
    assert _due_again(world, due + timedelta(days=9)) == []
    assert [one.attempt for one in _waiting(world, before=LATER + timedelta(seconds=1))] == [2]
    with pytest.raises(StaleVersion):
        deliveries.attempt_again(opened, failed.left(), request, event=event)
    with pytest.raises(StaleVersion):
        deliveries.put_off(failed.put_off(LATER))


def test_an_attempt_that_is_put_off_is_due_later(world: World) -> None:
    deliveries = world.repositories.deliveries
    head, failed = _fail(world, world.issue(send_to=RECIPIENT))
    later = MORNING + timedelta(hours=5)
    deliveries.put_off(failed.put_off(later))

    assert _due_again(world, later - timedelta(seconds=1)) == []
    [put_off] = _due_again(world, later)
    assert put_off.again_at == later
    told = head.with_delivery(replace(head.delivery, again_at=None), later)
    deliveries.put_off(put_off.left(), document=told)
    assert _due_again(world, later + timedelta(days=9)) == []
    assert deliveries.invoice(world.caller.tenant_id, head.invoice_id) == told


def test_a_moved_head_keeps_its_next_attempt_due(world: World) -> None:
    head, failed = _fail(world, world.issue(send_to=RECIPIENT))
    world.pay(head, 100)
    opened = head.with_delivery(head.delivery.requested(send=True), LATER)

    with pytest.raises(StaleVersion):
        world.repositories.deliveries.attempt_again(
            opened, failed.left(), failed.repeated(2, LATER), event=factories.event(world.new_id("evt"))
        )
    assert _due_again(world, LATER) == [failed]


def test_an_outcome_on_a_moved_head_is_refused_and_writes_nothing(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    paid = world.pay(invoice, 100)

    with pytest.raises(StaleVersion):
        _settle(world, invoice, DeliveryState.SENT)

    assert world.repositories.deliveries.request(world.caller.tenant_id, invoice.invoice_id, 1).outcome is None
    assert _settle(world, paid, DeliveryState.SENT).ledger.paid_minor == 100


def test_one_mail_is_claimed_once(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    deliveries = world.repositories.deliveries
    claim = _claim(world, invoice)

    first = deliveries.claim_mail(claim)
    second = deliveries.claim_mail(replace(claim, updated_at=LATER))

    assert first == second == claim
    assert deliveries.read_mail(claim.tenant_id, claim.invoice_id, 1, RECIPIENT) == claim
    assert deliveries.read_mail(claim.tenant_id, claim.invoice_id, 1, RECIPIENT.upper()) == claim
    assert deliveries.read_mail(claim.tenant_id, claim.invoice_id, 2, RECIPIENT) is None
    assert deliveries.read_mail(claim.tenant_id, claim.invoice_id, 1, "autre@epicerie.example") is None


def test_a_claim_moves_only_from_where_it_was_seen(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    deliveries = world.repositories.deliveries
    claim = deliveries.claim_mail(_claim(world, invoice))
    transmitting = replace(claim, state=ClaimState.TRANSMITTING)
    accepted = replace(claim, state=ClaimState.ACCEPTED, provider_message_id="m-1")

    assert deliveries.advance_mail(transmitting, expected=claim)
    assert not deliveries.advance_mail(transmitting, expected=claim)
    assert deliveries.advance_mail(accepted, expected=transmitting)
    assert not deliveries.advance_mail(replace(claim, state=ClaimState.REFUSED), expected=transmitting)

    assert deliveries.read_mail(claim.tenant_id, claim.invoice_id, 1, RECIPIENT) == accepted


def test_a_claim_that_does_not_exist_does_not_move(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    claim = _claim(world, invoice)

    assert not world.repositories.deliveries.advance_mail(claim, expected=claim)


def test_a_mail_event_on_a_moved_head_is_stale(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    bounced = invoice.with_delivery(replace(invoice.delivery, state=DeliveryState.BOUNCED), LATER)
    event = factories.event("evt_x", EventType.INVOICE_BOUNCED)
    world.repositories.deliveries.record_mail_event(bounced, event=event)

    with pytest.raises(StaleVersion):
        world.repositories.deliveries.record_mail_event(bounced, event=factories.event("evt_y"))

    assert world.repositories.invoices.read(world.caller, invoice.invoice_id) == bounced


def test_an_unsettled_request_waits_until_its_outcome(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    expected = OpenRequest(
        entity="delivery_request",
        tenant_id=world.caller.tenant_id,
        subject_id=invoice.invoice_id,
        attempt=1,
        executions=0,
        correlation_id="corr-1",
    )

    assert _waiting(world, before=MORNING) == []
    assert _waiting(world) == [expected]

    _settle(world, invoice, DeliveryState.SENT)

    assert _waiting(world) == []
    assert not world.repositories.requests.count_execution(expected, at=LATER)


def test_a_counted_execution_makes_a_request_wait_anew(world: World) -> None:
    invoice = world.issue(send_to=RECIPIENT)
    requests = world.repositories.requests
    (open_request,) = _waiting(world)

    assert requests.count_execution(open_request, at=LATER)
    assert not requests.count_execution(open_request, at=LATER)

    assert _waiting(world, before=LATER) == []
    (again,) = _waiting(world, before=LATER + timedelta(seconds=1))
    assert again == replace(open_request, executions=1)
    assert world.repositories.deliveries.request(world.caller.tenant_id, invoice.invoice_id, 1).executions == 1


def test_what_waits_longest_comes_first_up_to_a_limit(world: World) -> None:
    ages = [MORNING + timedelta(seconds=second) for second in (2, 0, 1)]
    invoices = [world.issue(at=at) for at in ages]
    oldest_first = [invoices[index].invoice_id for index in (1, 2, 0)]

    assert [request.subject_id for request in _waiting(world)] == oldest_first
    requests = world.repositories.requests
    limited = [len(requests.stale(LATER, shard=shard, limit=1)) for shard in range(requests.shards)]
    assert max(limited) == 1


def _start_verification(world: World) -> Verification:
    verification = Verification(
        tenant_id=world.caller.tenant_id,
        verification_id=world.new_id("ver"),
        version=1,
        target=world.series(),
        correlation_id="corr-9",
        started_at=MORNING,
        updated_at=MORNING,
    )
    once = world.once("startInvoiceVerification")
    world.repositories.verifications.start(world.caller, verification, once=once)
    return verification


def test_a_verification_is_a_request_until_it_is_finished(world: World) -> None:
    verification = _start_verification(world)
    verifications = world.repositories.verifications
    (waiting,) = _waiting(world)

    assert (waiting.entity, waiting.subject_id) == ("verification_request", verification.verification_id)
    assert verifications.read(world.caller, verification.verification_id) == verification
    assert verifications.load(world.caller.tenant_id, verification.verification_id) == verification
    with pytest.raises(NotFound):
        verifications.read(world.stranger, verification.verification_id)

    finished = verification.finished(LATER)
    assert verifications.save(finished)
    assert not verifications.save(finished)

    assert finished.state is VerificationState.PASSED
    assert verifications.read(world.caller, verification.verification_id) == finished
    assert _waiting(world) == []


def test_a_checkpoint_keeps_a_running_verification_fresh_and_its_executions_counted(world: World) -> None:
    verification = _start_verification(world)
    (waiting,) = _waiting(world)
    verifications = world.repositories.verifications
    assert world.repositories.requests.count_execution(waiting, at=MORNING)
    counted = verifications.load(world.caller.tenant_id, verification.verification_id)

    assert verifications.save(counted.advanced((), LATER))

    assert _waiting(world, before=LATER) == []
    (again,) = _waiting(world, before=LATER + timedelta(seconds=1))
    assert again.executions == 1


@pytest.mark.parametrize("limit", [1, 2, 40])
def test_verification_walks_the_series_to_its_target_and_no_further(world: World, limit: int) -> None:
    invoices = [world.issue() for _ in range(4)]
    world.pay(world.pay(invoices[1], 100), 200)
    target = world.series()
    world.issue()
    verifications = world.repositories.verifications

    position = ChainPosition()
    findings: list[Finding] = []
    numbers: list[str] = []
    while page := verifications.page(world.caller.tenant_id, position, target, limit=limit):
        assert len(page) <= limit
        position, found = check_page(position, page)
        findings += found
        numbers += [item.number for item in page]

    assert numbers == [invoice.document.number for invoice in invoices]
    assert findings == []
    assert (position.year, position.rank, position.last_hash) == (2026, 4, target.last_hash)


def test_a_checkpoint_keeps_the_executions_counted_since_the_job_was_read(world: World) -> None:
    verification = _start_verification(world)
    (request,) = _waiting(world)
    verifications = world.repositories.verifications
    tenant_id, verification_id = world.caller.tenant_id, verification.verification_id
    read_before = verifications.load(tenant_id, verification_id)
    assert world.repositories.requests.count_execution(request, at=LATER)

    assert verifications.save(read_before.advanced((), LATER))
    assert verifications.load(tenant_id, verification_id).executions == 1
    (request,) = _waiting(world, before=LATER + timedelta(days=1))
    assert request.executions == 1
    assert not verifications.save(read_before.advanced((), LATER))

    read_before = verifications.load(tenant_id, verification_id)
    assert world.repositories.requests.count_execution(request, at=LATER)
    assert verifications.save(read_before.finished(LATER))
    assert verifications.load(tenant_id, verification_id).executions == 2
    assert _waiting(world, before=LATER + timedelta(days=1)) == []


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_place_without_its_invoice_is_a_finding_and_the_walk_goes_on(world: World, unreadable: bool) -> None:
    invoices = [world.issue() for _ in range(3)]
    world.repositories.lose_invoice(invoices[1], unreadable)

    page = world.repositories.verifications.page(world.caller.tenant_id, ChainPosition(), world.series(), limit=10)
    position, findings = check_page(ChainPosition(), page)

    assert [(finding.rule, finding.subject) for finding in findings] == [(Rule.DOCUMENT_PRESENT, "F2026-00002")]
    assert ("cannot be read" in findings[0].detail) is unreadable
    assert (position.rank, position.last_hash) == (3, invoices[2].document_hash)


def test_verification_pages_cross_the_year(world: World) -> None:
    for on in (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)):
        world.issue(on=on)
    target = world.series()

    position = ChainPosition()
    findings: list[Finding] = []
    ranks: list[tuple[int, int]] = []
    while page := world.repositories.verifications.page(world.caller.tenant_id, position, target, limit=3):
        position, found = check_page(position, page)
        findings += found
        ranks += [(item.year, item.rank) for item in page]

    assert ranks == [(2026, 1), (2026, 2), (2027, 1), (2027, 2)]
    assert findings == []


def test_nothing_issued_gives_no_page(world: World) -> None:
    page = world.repositories.verifications.page(world.caller.tenant_id, ChainPosition(), UNTOUCHED, limit=10)

    assert page == ()


def test_the_ending_of_a_series_is_its_head_and_its_last_place(world: World) -> None:
    verifications = world.repositories.verifications
    nothing = verifications.ending(world.caller.tenant_id, Series.INVOICE)
    world.issue()
    world.issue()
    ending = verifications.ending(world.caller.tenant_id, Series.INVOICE)

    assert (nothing.head, nothing.last_place) == ((0, 0), (0, 0))
    assert ending.head == ending.last_place
    assert ending.head[1] == 2

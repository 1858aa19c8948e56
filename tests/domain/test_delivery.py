"""Where an attempt stands, and how far a mail went."""

from __future__ import annotations

import pytest

from billing.domain.delivery import ClaimState, Delivery, DeliveryOutcome, DeliveryState, StoredPdf
from tests.fakes.clock import MORNING

PDF = StoredPdf(key="k", sha256="s", size_bytes=1, rendered_at=MORNING)


def test_a_request_opens_the_next_attempt_and_forgets_the_last_error() -> None:
    failed = Delivery(state=DeliveryState.FAILED, attempt=2, error="MailRefused", pdf=PDF)

    again = failed.requested(send=True)

    assert again == Delivery(state=DeliveryState.SENDING, attempt=3, in_progress=True, pdf=PDF)


def test_rendering_alone_leaves_the_state_of_sending() -> None:
    rendered = Delivery().requested(send=False).settled(DeliveryOutcome(state=None, pdf=PDF), attempt=1)

    assert rendered == Delivery(state=DeliveryState.NOT_SENT, attempt=1, pdf=PDF)


def test_an_outcome_keeps_the_pdf_that_was_rendered_before() -> None:
    sending = Delivery(state=DeliveryState.SENDING, attempt=1, in_progress=True, pdf=PDF)

    settled = sending.settled(DeliveryOutcome(state=DeliveryState.FAILED, error="MailRefused"), attempt=1)

    assert settled == Delivery(state=DeliveryState.FAILED, attempt=1, error="MailRefused", pdf=PDF)


def test_an_earlier_attempt_that_ends_leaves_the_later_one_in_progress() -> None:
    sending = Delivery().requested(send=False).requested(send=True)

    settled = sending.settled(DeliveryOutcome(state=None, pdf=PDF), attempt=1)

    assert settled == Delivery(state=DeliveryState.SENDING, attempt=2, in_progress=True, pdf=PDF)


def test_only_a_mail_on_its_way_stands_in_the_way_of_another() -> None:
    assert not Delivery().requested(send=False).is_mailing
    assert Delivery().requested(send=True).is_mailing


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("claimed", "transmitting"),
        ("transmitting", "accepted"),
        ("accepted", "delivered"),
        ("accepted", "refused"),
        ("accepted", "bounced"),
        ("delivered", "bounced"),
        ("claimed", "abandoned"),
    ],
)
def test_a_mail_goes_forward_only(earlier: str, later: str) -> None:
    assert ClaimState(earlier).progress < ClaimState(later).progress


def test_every_state_of_a_mail_has_its_rank() -> None:
    assert all(isinstance(state.progress, int) for state in ClaimState)

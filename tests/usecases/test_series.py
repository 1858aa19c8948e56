"""Start numbers: once per series, before its first document; the proof holds from there on."""

from __future__ import annotations

from datetime import date

import pytest

from billing.domain.access import Role
from billing.domain.errors import CompanyNotDescribed, FieldErrors, Forbidden, IssueDateTooEarly, SeriesAlreadyStarted
from billing.domain.numbering import Series, SeriesStart, SeriesState
from billing.domain.series import next_number
from billing.domain.verification import Verification, VerificationState
from billing.usecases import series, verifications
from tests.usecases.conftest import Shop

START = SeriesStart(series=Series.INVOICE, last_rank=125, last_date=date(2026, 11, 20), last_number="FA-125")


def begin(shop: Shop, start: SeriesStart = START, role: Role = Role.OWNER) -> SeriesState:
    caller = shop.caller if role is Role.OWNER else shop.person(role)
    return series.start_company_series(
        caller,
        start,
        once=shop.once("startCompanySeries"),
        series=shop.repositories.series,
        clock=shop.clock,
        ids=shop.ids,
    )


def verified(shop: Shop) -> Verification:
    proofs, clock = shop.repositories.verifications, shop.clock
    once = shop.once("startInvoiceVerification")
    job = verifications.start_invoice_verification(
        shop.caller, correlation_id="c", once=once, verifications=proofs, clock=clock, ids=shop.ids
    )
    while job.state is VerificationState.RUNNING:
        job = verifications.verify_ledger_page(job.tenant_id, job.verification_id, verifications=proofs, clock=clock)
    return job


def test_the_first_number_here_follows_the_last_one_elsewhere(shop: Shop) -> None:
    begin(shop)

    numbers = [shop.issue().document.number for _ in range(3)]

    assert numbers == ["F2026-00126", "F2026-00127", "F2026-00128"]
    assert (verified(shop).state, verified(shop).documents_checked) == (VerificationState.PASSED, 3)


def test_a_started_series_without_documents_is_proven_too(shop: Shop) -> None:
    begin(shop)

    assert verified(shop).findings == ()


def test_a_new_year_begins_at_one(shop: Shop) -> None:
    begin(shop, SeriesStart(series=Series.INVOICE, last_rank=9, last_date=date(2025, 12, 31), last_number="9"))

    assert shop.issue().document.number == "F2026-00001"
    assert verified(shop).state is VerificationState.PASSED


def test_nothing_is_issued_before_the_last_date_elsewhere(shop: Shop) -> None:
    begin(shop)

    with pytest.raises(IssueDateTooEarly):
        shop.issue(issue_date=date(2026, 11, 19))


@pytest.mark.parametrize("issued_first", [False, True])
def test_a_series_starts_once_and_before_its_first_document(shop: Shop, issued_first: bool) -> None:
    if issued_first:
        shop.issue()
    else:
        begin(shop)

    with pytest.raises(SeriesAlreadyStarted):
        begin(shop)


def test_a_start_is_no_future_date_and_no_member_sets_it(shop: Shop) -> None:
    with pytest.raises(FieldErrors) as refused:
        begin(shop, SeriesStart(series=Series.INVOICE, last_rank=1, last_date=date(2026, 11, 24), last_number="1"))
    with pytest.raises(Forbidden):
        begin(shop, role=Role.MEMBER)

    assert [error.pointer for error in refused.value.errors] == ["/last_date"]


def test_every_series_says_where_it_stands_and_what_comes_next(shop: Shop) -> None:
    begin(shop)
    book = series.list_company_series(shop.caller, series=shop.repositories.series)

    assert book.company is not None
    following = [next_number(book.company.description, state, shop.clock.today()) for state in book.states]
    assert [state.series for state in book.states] == list(Series)
    assert following[:2] == ["F2026-00126", "A2026-00001"]


def test_an_undescribed_company_has_no_series() -> None:
    with pytest.raises(CompanyNotDescribed):
        begin(Shop())

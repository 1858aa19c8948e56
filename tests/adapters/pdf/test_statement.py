"""What a statement of account says, and that it is the same bytes each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from billing.adapters.pdf.statement import PdfStatementRenderer
from billing.domain.customer_account import (
    AccountMovement,
    Ageing,
    MovementKind,
    OpenInvoice,
    Statement,
    StatementPeriod,
    state_accounts,
)
from billing.domain.ledger import PaymentMethod
from tests import factories
from tests.adapters.pdf.reading import words

FIRST, LAST = date(2026, 9, 1), date(2026, 11, 23)


def movement(kind: MovementKind, day: date, owed_minor: int, reference: str = "", **changes: object) -> AccountMovement:
    made = AccountMovement(
        movement_id=f"{kind.value}-{day.isoformat()}-{reference}",
        kind=kind,
        day=day,
        recorded_at=datetime(day.year, day.month, day.day, 10, tzinfo=UTC),
        currency="EUR",
        amount_minor=abs(owed_minor),
        owed_minor=owed_minor,
        source_id="inv_1",
        reference=reference,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


MOVEMENTS = (
    movement(MovementKind.INVOICE, date(2026, 9, 3), 120_000, "F2026-00041", due_date=date(2026, 10, 3)),
    movement(MovementKind.PAYMENT, date(2026, 9, 20), -85_050, "F2026-00032", method=PaymentMethod.TRANSFER),
    movement(MovementKind.CREDIT_NOTE, date(2026, 10, 1), -24_000, "A2026-00003"),
    movement(MovementKind.CREDIT_APPLIED, date(2026, 10, 2), 0, "F2026-00041", amount_minor=5_000),
    movement(MovementKind.REVERSAL, date(2026, 10, 9), 85_050, "Chèque n° 1234567", method=PaymentMethod.CHEQUE),
    movement(MovementKind.REFUND, date(2026, 11, 2), 1_000, "Trop-perçu", method=PaymentMethod.TRANSFER),
)
OPEN = (
    OpenInvoice(
        invoice_id="inv_1", number="F2026-00041", currency="EUR", due_date=date(2026, 10, 3), balance_minor=96_000
    ),
    OpenInvoice(
        invoice_id="inv_2", number="F2026-00050", currency="EUR", due_date=date(2026, 12, 3), balance_minor=15_000
    ),
)


def statement(movements: tuple[AccountMovement, ...] = MOVEMENTS, opening: int = 85_050) -> Statement:
    return Statement(
        customer=factories.customer(),
        company=factories.company(),
        period=StatementPeriod(first=FIRST, last=LAST),
        today=LAST,
        accounts=state_accounts({"EUR": opening}, movements, OPEN, today=LAST),
    )


def said(stated: Statement) -> str:
    return words(PdfStatementRenderer().render(stated, logo=None))


def test_a_statement_says_what_was_owed_what_moved_and_what_is_owed() -> None:
    text = said(statement()).replace("\u202f", " ").replace("\u00a0", " ")

    for part in (
        "Relevé",
        "Solde au 31/08/2026",
        "Facture F2026-00041",
        "Règlement par virement",
        "Avoir A2026-00003",
        "Crédit imputé (50,00)",
        "Règlement annulé",
        "Remboursement par virement",
        "Solde au 23/11/2026",
        "1 820,50 €",
        "31 à 60 jours",
        "Total échu : 960,00 €",
    ):
        assert part in text


def test_the_credit_that_the_customer_has_makes_the_difference() -> None:
    held = replace(
        statement(), accounts=state_accounts({"EUR": 85_050}, MOVEMENTS, OPEN, today=LAST, credit_minor=8_000)
    )

    text = said(held).replace("\u202f", " ").replace("\u00a0", " ").replace("−", "-")

    assert "Crédit du client, non utilisé : -80,00 €" in text
    assert "Solde, crédit déduit : 1 030,00 €" in text
    assert "Crédit du client" not in said(statement())


def test_the_same_statement_gives_the_same_bytes() -> None:
    assert PdfStatementRenderer().render(statement(), logo=None) == PdfStatementRenderer().render(
        statement(), logo=None
    )


def test_a_long_statement_goes_on_with_its_heads_and_page_numbers() -> None:
    many = tuple(movement(MovementKind.INVOICE, FIRST + timedelta(days=n % 80), 100, f"F-{n:05d}") for n in range(120))

    text = said(statement(many))

    assert all(f"F-{n:05d}" in text for n in range(120))
    assert text.count("Opération") >= text.count("Page ") - 1 > 2


def test_a_customer_without_movements_and_one_in_credit_are_told_so() -> None:
    assert "Aucun mouvement" in said(statement(()))
    assert "en votre faveur" in said(statement((), opening=-500))


def test_currencies_have_accounts_of_their_own() -> None:
    pounds = movement(MovementKind.INVOICE, FIRST, 7_700, "F2026-00060", currency="GBP")

    text = said(statement((*MOVEMENTS, pounds))).replace("\u00a0", " ")

    assert "Compte en euros" in text
    assert "Compte en GBP" in text


def test_ages_begin_the_day_after_the_due_date() -> None:
    def aged(days: int) -> Ageing:
        due = OpenInvoice(
            invoice_id="inv", number="F", currency="EUR", due_date=LAST - timedelta(days=days), balance_minor=1
        )
        return state_accounts({}, (), (due,), today=LAST)[0].ageing

    assert aged(0) == Ageing(not_due_minor=1)
    assert aged(1) == aged(30) == Ageing(until_30_minor=1)
    assert aged(31) == aged(60) == Ageing(until_60_minor=1)
    assert aged(61) == aged(90) == Ageing(until_90_minor=1)
    assert aged(91) == Ageing(beyond_90_minor=1)

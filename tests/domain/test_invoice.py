"""What may stand on a draft, and what issuing freezes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.domain.errors import FieldErrors
from billing.domain.invoice import MAX_LINES, InvoiceContent, check_content, document_hash
from billing.domain.ledger import InvoiceStatus
from billing.domain.numbering import GENESIS_HASH, Series, SeriesState
from billing.domain.parties import Logo
from billing.domain.totals import Discount
from billing.domain.vat import EXEMPTIONS, FRANCHISE_TREATMENT, VatRegime, VatTreatment
from tests import factories
from tests.factories import VAT_5_5, VAT_20, content, draft, issued_after, priced

UNTOUCHED = SeriesState.untouched(Series.INVOICE)
NORMAL, FRANCHISE = VatRegime.NORMAL, VatRegime.FRANCHISE


def reason(code: str) -> VatTreatment:
    return VatTreatment(category=EXEMPTIONS[code].category, rate=Decimal(0), exemption_code=code)


OUTSIDE = reason("VATEX-EU-O")
REFUSALS = [
    pytest.param(
        content(priced(), priced(vat=FRANCHISE_TREATMENT)), NORMAL, ["/lines/1/exemption_code"], id="franchise"
    ),
    pytest.param(content(priced(), priced(vat=FRANCHISE_TREATMENT)), FRANCHISE, ["/lines/0/vat_category"], id="vat"),
    pytest.param(content(priced(vat=reason("VATEX-EU-G"))), FRANCHISE, ["/lines/0/vat_category"], id="export"),
    pytest.param(
        content(priced(), priced("1", discount=Discount(amount_minor=101))),
        NORMAL,
        ["/lines/1/discount"],
        id="line-discount",
    ),
    pytest.param(
        content(priced("100", "-1", discount=Discount(percent=Decimal(10)))),
        NORMAL,
        ["/lines/0/discount"],
        id="negative",
    ),
    pytest.param(content(priced("-1")), NORMAL, ["/lines/0/unit_price"], id="negative-price-BR-27"),
    pytest.param(content(priced("1"), discount=Discount(amount_minor=101)), NORMAL, ["/discount"], id="discount"),
    pytest.param(content(priced("100", "-1")), NORMAL, ["/lines"], id="negative-total"),
    pytest.param(content(priced("999999999999", "2")), NORMAL, ["/lines"], id="too-large"),
    pytest.param(
        content(priced(vat=OUTSIDE), priced(), priced(vat=OUTSIDE)),
        NORMAL,
        ["/lines/0/vat_category", "/lines/2/vat_category"],
        id="out-of-scope-beside-others-BR-O-11",
    ),
    pytest.param(
        content(priced(vat=reason("VATEX-FR-CGI261-7")), priced(), priced(vat=reason("VATEX-EU-79-C"))),
        NORMAL,
        ["/lines/2/exemption_code"],
        id="two-reasons-of-one-category-BR-E-01",
    ),
    pytest.param(
        content(priced(vat=reason("VATEX-EU-AE")), priced(vat=reason("VATEX-FR-AE"))),
        NORMAL,
        ["/lines/1/exemption_code"],
        id="two-reverse-charges-BR-AE-01",
    ),
    pytest.param(
        content(priced(vat=reason("VATEX-FR-CGI261-4-1")), priced(vat=reason("VATEX-FR-CGI261-4-4"))),
        NORMAL,
        ["/lines/1/exemption_code"],
        id="two-wordings-of-one-code",
    ),
    pytest.param(
        content(priced(vat=FRANCHISE_TREATMENT), priced(vat=reason("VATEX-EU-79-C"))),
        FRANCHISE,
        ["/lines/1/exemption_code"],
        id="disbursement-beside-the-franchise-BR-E-01",
    ),
    pytest.param(
        content(
            priced(description="Été 😀", details="ok", discount=Discount(percent=Decimal(5), reason="漢")),
            priced(details="\x07", unit="😀"),
            discount=Discount(amount_minor=1, reason="😀"),
            purchase_order="😀",
            notes="😀",
        ),
        NORMAL,
        [
            "/lines/0/description",
            "/lines/0/discount/reason",
            "/lines/1/details",
            "/lines/1/unit",
            "/discount/reason",
            "/purchase_order",
            "/notes",
        ],
        id="texts-that-no-font-draws",
    ),
    pytest.param(content(*[priced()] * (MAX_LINES + 1)), NORMAL, ["/lines"], id="501-lines"),
    pytest.param(content(priced(details="x" * 300_001)), NORMAL, ["/lines"], id="300-KB"),
    pytest.param(
        content(priced("-1"), priced(vat=FRANCHISE_TREATMENT)),
        NORMAL,
        ["/lines/0/unit_price", "/lines/1/exemption_code"],
        id="all-errors-at-once",
    ),
]


@pytest.mark.parametrize(("holding", "regime", "pointers"), REFUSALS)
def test_a_content_that_cannot_stand_is_refused_by_its_fields(
    holding: InvoiceContent, regime: VatRegime, pointers: list[str]
) -> None:
    with pytest.raises(FieldErrors) as refused:
        check_content(holding, regime)

    assert [error.pointer for error in refused.value.errors] == pointers
    assert all(error.detail_fr and error.detail_en for error in refused.value.errors)


@pytest.mark.parametrize(
    ("holding", "regime"),
    [
        pytest.param(content(priced(), priced(vat=VAT_5_5), priced(vat=reason("VATEX-EU-79-C"))), NORMAL, id="mixed"),
        pytest.param(content(priced(vat=OUTSIDE), priced(vat=OUTSIDE)), NORMAL, id="all-out-of-scope"),
        pytest.param(
            content(
                priced(vat=reason("VATEX-EU-IC")), priced(vat=reason("VATEX-FR-AE")), priced(vat=reason("VATEX-EU-D"))
            ),
            NORMAL,
            id="one-reason-of-each-category",
        ),
        pytest.param(content(priced(vat=FRANCHISE_TREATMENT)), FRANCHISE, id="franchise"),
        pytest.param(content(priced(vat=reason("VATEX-EU-79-C"))), FRANCHISE, id="disbursement-alone"),
        pytest.param(content(priced("1000"), priced("300", "-1")), NORMAL, id="deposit-taken-off"),
        pytest.param(content(priced("0")), NORMAL, id="free"),
        pytest.param(content(priced("1", discount=Discount(percent=Decimal(100)))), NORMAL, id="given-away"),
        pytest.param(content(*[priced()] * MAX_LINES), NORMAL, id="500-lines"),
    ],
)
def test_a_content_that_can_stand_has_its_totals(holding: InvoiceContent, regime: VatRegime) -> None:
    totals = check_content(holding, regime)

    assert tuple(computed.line for computed in totals.lines) == holding.lines


def test_a_draft_may_be_empty_but_not_issued_empty() -> None:
    empty = replace(content(), lines=())
    assert check_content(empty, NORMAL).total_minor == 0

    with pytest.raises(FieldErrors) as refused:
        issued_after(UNTOUCHED, draft(holding=empty))

    assert refused.value.errors[0].pointer == "/lines"


def test_issuing_freezes_number_parties_amounts_and_words() -> None:
    holding = content(priced(), purchase_order="BC-7", notes="Merci", supply_date=date(2026, 11, 2))

    invoice, allocation, state = issued_after(UNTOUCHED, draft(holding=holding))

    document = invoice.document
    assert (document.number, document.rank, document.year) == ("F2026-00001", 1, 2026)
    assert document.seller == factories.company_description()
    assert (document.issue_date, document.supply_date) == (date(2026, 11, 23), date(2026, 11, 2))
    assert (document.purchase_order, document.notes, document.currency) == ("BC-7", "Merci", "EUR")
    assert document.totals.total_minor == invoice.ledger.total_minor == 12_000
    assert {mention.code.value for mention in document.mentions} == {"AAI", "PMD", "PMT", "AAB"}
    assert invoice.document_hash == document_hash(document.canonical()) == state.last_hash
    assert document.previous_hash == allocation.previous.last_hash == GENESIS_HASH
    assert invoice.ledger.status is InvoiceStatus.ISSUED


def test_the_chain_starts_at_genesis_and_holds_each_document_to_the_one_before() -> None:
    first, _, after_first = issued_after(UNTOUCHED)
    second, _, _ = issued_after(after_first, draft(invoice_id="inv_2"))

    assert first.document.previous_hash == "0" * 64
    assert second.document.previous_hash == first.document_hash
    forged = replace(first.document, notes="autre")
    assert document_hash(forged.canonical()) != first.document_hash


def test_an_issued_document_cannot_be_assigned_to() -> None:
    invoice, _, _ = issued_after(UNTOUCHED)

    with pytest.raises(FrozenInstanceError):
        invoice.document.notes = "autre"  # type: ignore[misc]


def test_a_supply_date_left_out_is_the_issue_date() -> None:
    invoice, _, _ = issued_after(UNTOUCHED, on=date(2028, 2, 29))

    assert invoice.document.supply_date == date(2028, 2, 29)
    assert invoice.document.due_date == date(2028, 3, 30)


@pytest.mark.parametrize(
    ("on_draft", "of_customer", "of_company", "due"),
    [
        (None, None, 30, date(2026, 12, 23)),
        (None, None, 0, date(2026, 11, 23)),
        (None, 45, 30, date(2027, 1, 7)),
        (None, 0, 30, date(2026, 11, 23)),
        (10, 45, 30, date(2026, 12, 3)),
        (0, 45, 30, date(2026, 11, 23)),
    ],
)
def test_payment_terms_come_from_the_draft_then_the_customer_then_the_company(
    on_draft: int | None, of_customer: int | None, of_company: int, due: date
) -> None:
    invoice, _, _ = issued_after(
        UNTOUCHED,
        draft(holding=content(priced(), payment_terms_days=on_draft)),
        by=factories.company_description(payment_terms_days=of_company),
        to=factories.customer_description(payment_terms_days=of_customer),
    )

    assert invoice.document.due_date == due


def test_a_due_date_given_is_kept_unless_it_precedes_the_issue() -> None:
    on_the_day = draft(holding=content(due_date=date(2026, 11, 23)))
    before = draft(holding=content(due_date=date(2026, 11, 22)))

    assert issued_after(UNTOUCHED, on_the_day)[0].document.due_date == date(2026, 11, 23)
    with pytest.raises(FieldErrors) as refused:
        issued_after(UNTOUCHED, before)
    assert refused.value.errors[0].pointer == "/due_date"


def test_two_reasons_call_for_two_invoices_in_plain_words() -> None:
    with pytest.raises(FieldErrors) as refused:
        check_content(content(priced(vat=reason("VATEX-EU-F")), priced(vat=reason("VATEX-EU-I"))), NORMAL)

    (error,) = refused.value.errors
    assert "VATEX-EU-F" in error.detail_fr
    assert "VATEX-EU-I" in error.detail_fr
    assert "faites-en deux" in error.detail_fr


@pytest.mark.parametrize(
    ("code", "seller", "buyer", "pointers"),
    [
        ("VATEX-EU-IC", {}, {"vat_number": None}, ["/customer/vat_number"]),
        ("VATEX-EU-AE", {}, {"vat_number": None}, ["/customer/vat_number"]),
        ("VATEX-FR-AE", {}, {"vat_number": None}, ["/customer/vat_number"]),
        ("VATEX-EU-G", {"vat_number": None}, {"vat_number": None}, ["/company/vat_number"]),
        ("VATEX-EU-IC", {"vat_number": None}, {"vat_number": None}, ["/company/vat_number", "/customer/vat_number"]),
        (None, {"vat_number": None}, {}, ["/company/vat_number"]),
        (None, {"footer_text": "😀"}, {"contact_name": "漢"}, ["/company/footer_text", "/customer/contact_name"]),
    ],
)
def test_issuing_asks_for_what_the_parties_lack(
    code: str | None, seller: dict[str, str], buyer: dict[str, str], pointers: list[str]
) -> None:
    holding = draft(holding=content(priced(vat=reason(code)) if code else priced()))

    with pytest.raises(FieldErrors) as refused:
        issued_after(
            UNTOUCHED, holding, by=factories.company_description(**seller), to=factories.customer_description(**buyer)
        )

    assert [error.pointer for error in refused.value.errors] == pointers


@pytest.mark.parametrize("code", [None, "VATEX-EU-G", "VATEX-EU-O", "VATEX-EU-79-C"])
def test_a_buyer_without_vat_number_is_invoiced_where_none_is_needed(code: str | None) -> None:
    holding = draft(holding=content(priced(vat=reason(code)) if code else priced()))

    invoice, _, _ = issued_after(UNTOUCHED, holding, to=factories.customer_description(vat_number=None))

    assert invoice.document.buyer.vat_number is None


def test_a_franchise_company_needs_no_vat_number() -> None:
    franchise = factories.franchise_company().description
    holding = draft(holding=content(priced(vat=FRANCHISE_TREATMENT)), regime=FRANCHISE)

    assert issued_after(UNTOUCHED, holding, by=franchise)[0].document.seller.vat_number is None


def test_a_regime_that_changed_since_the_draft_is_judged_at_issue() -> None:
    franchise = factories.franchise_company().description

    with pytest.raises(FieldErrors):
        issued_after(UNTOUCHED, draft(), by=franchise)


def test_a_document_that_the_snapshot_makes_too_large_is_refused() -> None:
    long = factories.company_description(footer_text="x" * 20_000)
    big = draft(holding=content(priced(details="x" * 290_000)))

    with pytest.raises(FieldErrors) as refused:
        issued_after(UNTOUCHED, big, by=long)

    assert refused.value.errors[0].pointer == "/lines"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: replace(document, number="F2026-00002"),
        lambda document: replace(document, previous_hash="f" * 64),
        lambda document: replace(document, issue_date=date(2026, 11, 24)),
        lambda document: replace(document, issued_at=datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)),
        lambda document: replace(document, seller=replace(document.seller, iban=None)),
        lambda document: replace(document, buyer=replace(document.buyer, name="Autre")),
        lambda document: replace(document, totals=replace(document.totals, total_minor=1)),
        lambda document: replace(document, mentions=document.mentions[1:]),
        lambda document: replace(document, seller_logo=Logo(key="k", sha256="s", media_type="m", width=1, height=1)),
        lambda document: replace(document, rules_version="fr-2027-01"),
        lambda document: replace(document, template_version="classic-0"),
    ],
)
def test_every_part_of_a_document_is_under_its_hash(change: Callable[[object], object]) -> None:
    invoice, _, _ = issued_after(UNTOUCHED, draft(holding=content(priced(vat=VAT_20))))

    changed = change(invoice.document)

    assert document_hash(changed.canonical()) != invoice.document_hash  # type: ignore[attr-defined]

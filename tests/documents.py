"""Sample documents: every case that French rules know, issued through the domain's own rules.

Companies and people are plainly samples; identifiers have valid check digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from billing.domain.attachments import Attachment
from billing.domain.credit_notes import (
    CreditByLine,
    CreditByVat,
    CreditInFull,
    CreditScope,
    LineCredit,
    VatCredit,
    compute_credit,
    freeze_credit_note,
    settle,
)
from billing.domain.crediting import Excess
from billing.domain.currency import ExchangeRate
from billing.domain.invoice import DocumentType, IssuedInvoice, PrecedingDocument
from billing.domain.ledger import PaymentMethod
from billing.domain.numbering import DEFAULT_PATTERNS, Series, SeriesState, allocate
from billing.domain.particulars import BillingPeriod, Particulars
from billing.domain.parties import Company, Customer, LegalForm, ProductKind
from billing.domain.payment_terms import PaymentTerms, TermsRule
from billing.domain.process import Contracting, PaidAtIssue
from billing.domain.quote import Quote, finalise
from billing.domain.situation import Situation, SituationLine
from billing.domain.template import Design, Template
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import Adjustment, Charge, Discount, Line
from billing.domain.trades import Insurance, Mediator, Trade, TradeProfile
from billing.domain.vat import VatCategory, VatTreatment
from tests import factories
from tests.factories import VAT_5_5, VAT_20, exempt, issued, priced, taxed

SERVICE, GOODS = ProductKind.SERVICE, ProductKind.GOODS
BERLIN = factories.address(line1="Musterstraße 5", postal_code="10115", city="Berlin", country_code="DE")
GENEVA = factories.address(line1="Rue du Modèle 3", postal_code="1201", city="Genève", country_code="CH")
SAINT_DENIS = factories.address(line1="3 rue du Modèle", postal_code="97400", city="Saint-Denis")
AJACCIO = factories.address(line1="2 cours du Modèle", postal_code="20000", city="Ajaccio")
LILLE = factories.address(line1="Zone du Modèle", postal_code="59000", city="Lille")
NOVEMBER = BillingPeriod(start=date(2026, 11, 1), end=date(2026, 11, 30))
PAID = PaidAtIssue(paid_on=date(2026, 11, 20), method=PaymentMethod.CARD, reference="TPE 0042")
DEPOSIT = (PrecedingDocument(invoice_id="inv_deposit", number="F2026-00003", issue_date=date(2026, 10, 5)),)
NO_IDS: dict[str, Any] = {"siren": None, "siret": None, "vat_number": None}

OTHER_DESIGNS = {Design.MODERN: "#1f4e8c", Design.COMPACT: "#8c2f5a"}
HARD = (
    "allowances-and-charges",
    "bilingual",
    "builder",
    "credit-note-by-amount",
    "credit-note-by-line",
    "every-unit",
    "final-after-deposits",
    "five-hundred-lines",
    "in-dollars",
    "paid-by-card",
    "retention-of-guarantee",
    "texts-above-and-below",
)

Sample = Callable[[], IssuedInvoice]
SAMPLES: dict[str, Sample] = {}


def sample(name: str) -> Callable[[Sample], Sample]:
    def keep(made: Sample) -> Sample:
        SAMPLES[name] = made
        return made

    return keep


def all_samples() -> Iterator[tuple[str, IssuedInvoice]]:
    """Every sample in the classic design, and the hard ones in the others, each in an accent of its own."""
    yield from ((name, made()) for name, made in SAMPLES.items())
    for design, accent in OTHER_DESIGNS.items():
        for name in HARD:
            yield f"{name}-{design.value}", in_design(SAMPLES[name](), design, accent)


def in_design(issued: IssuedInvoice, design: Design, accent: str) -> IssuedInvoice:
    """The document as a company of another look had issued it."""
    seller = replace(issued.document.seller, design=design, accent_colour=accent)
    version = Template(design=design).version
    return replace(issued, document=replace(issued.document, seller=seller, template_version=version))


def _of(name: str, **changes: Any) -> None:
    SAMPLES[name] = lambda: issued(**changes)


def credit_of(invoice: IssuedInvoice, scope: CreditScope, **changes: Any) -> IssuedInvoice:
    computed = compute_credit(invoice.document, invoice.ledger, scope)
    values: dict[str, Any] = {
        "company": factories.company(),
        "allocation": allocate(
            SeriesState.untouched(Series.CREDIT_NOTE), DEFAULT_PATTERNS[Series.CREDIT_NOTE], date(2026, 11, 24)
        ),
        "settlement": settle(invoice.ledger, computed.totals.total_minor, Excess.CUSTOMER_CREDIT),
        "reason": "Retour de marchandises",
        "issued_at": factories.ISSUED_AT,
    }
    return freeze_credit_note("crn_1", invoice, computed, **values | changes)


def foreign(**changes: Any) -> Any:
    return factories.customer(**{"name": "Muster GmbH", "billing_address": BERLIN, **NO_IDS} | changes)


# ---- rates and lines -------------------------------------------------------------------------------------------------
_of("several-rates")
_of("one-service", lines=(priced("1250.00", kind=SERVICE),))
_of("one-product", lines=(priced("19.99", "3", kind=GOODS),))
_of("goods-and-services", lines=(priced("100", kind=SERVICE), priced("49.90", "2", kind=GOODS, vat=VAT_5_5)))
_of("all-mainland-rates", lines=tuple(priced("33.33", "3", vat=taxed(rate)) for rate in ("20", "10", "5.5", "2.1")))
_of(
    "overseas-rates",
    seller=factories.company(address=SAINT_DENIS),
    buyer=factories.customer(billing_address=SAINT_DENIS),
    lines=tuple(priced("71.05", vat=taxed(rate)) for rate in ("8.5", "2.1", "1.75", "1.05")),
)
_of(
    "corsican-rates",
    seller=factories.company(address=AJACCIO),
    buyer=factories.customer(billing_address=AJACCIO),
    lines=tuple(priced("12.34", "5", vat=taxed(rate)) for rate in ("13", "10", "2.1", "0.9")),
)
_of("rounding-of-thirds", lines=tuple(priced("0.333333", str(count)) for count in (1, 2, 5, 7, 11)))
_of("half-cents", lines=(priced("0.125", "1"), priced("0.375", "3"), priced("1.005", "1", vat=VAT_5_5)))
_of("four-decimals-of-quantity", lines=(priced("8.123456", "12.3456", unit="KGM"),))
_of("two-hundred-lines", lines=factories.many_lines(200))
_of("five-hundred-lines", lines=factories.many_lines(500))
_of("free-of-charge-line", lines=(priced("50"), priced("0", "1", description="Pose offerte")))
_of("negative-line", lines=(priced("500"), priced("120", "-1", description="Reprise de l'ancien matériel")))
_of(
    "every-unit",
    lines=tuple(
        priced("10", unit=unit, description=f"En {unit}") for unit in ("HUR", "DAY", "MTK", "LTR", "XBX", "E48")
    ),
)
_of(
    "characters-to-escape",
    lines=(priced(description='Vis <M6> & écrous "A2"', details="œuvre n° 5 – 10 € l'unité\nsur deux lignes"),),
    notes="Merci & à bientôt <3",
    purchase_order="BC/2026-<42>",
)
# ---- allowances and charges ------------------------------------------------------------------------------------------
_of(
    "line-discounts",
    lines=(
        priced("100", "3", discount=Discount(percent=Decimal("12.5"))),
        priced("80", discount=Discount(amount_minor=1_234, reason="Geste commercial")),
        priced("60", "2", charge=Charge(amount_minor=500, reason="Emballage")),
        priced(
            "40", charge=Charge(percent=Decimal("2.5"), reason="Manutention"), discount=Discount(percent=Decimal(5))
        ),
    ),
)
_of("document-discount-in-percent", discount=Discount(percent=Decimal("7.5"), reason="Remise de fidélité"))
_of("document-discount-as-amount", discount=Discount(amount_minor=9_999))
_of(
    "allowances-and-charges",
    allowances=(
        Adjustment(percent=Decimal(3), reason="Escompte convenu", reason_code="64"),
        Adjustment(amount_minor=2_500, reason="Remise sur les livres", vat=VAT_5_5),
    ),
    charges=(
        Adjustment(amount_minor=4_900, reason="Port", reason_code="FC", vat=VAT_20),
        Adjustment(percent=Decimal("1.5"), reason="Assurance", reason_code="IS"),
    ),
)
_of(
    "discount-beside-allowances",
    discount=Discount(percent=Decimal(10)),
    allowances=(Adjustment(amount_minor=1_000, reason="Remise exceptionnelle"),),
)
_of("charge-with-a-rate-of-its-own", lines=(priced("20", vat=VAT_5_5, kind=GOODS),),
    charges=(Adjustment(amount_minor=990, reason="Livraison", reason_code="FC", vat=VAT_20),))  # fmt: skip
# ---- without VAT -----------------------------------------------------------------------------------------------------
_of("franchise", seller=factories.franchise_company())
_of("franchise-to-a-consumer", seller=factories.franchise_company(), buyer=factories.customer(
    description=factories.individual_description()))  # fmt: skip
_of(
    "goods-to-another-member-state",
    buyer=foreign(vat_number="DE123456788"),
    lines=(priced("450", "4", vat=exempt("VATEX-EU-IC", VatCategory.INTRA_COMMUNITY), kind=GOODS),),
)
_of(
    "services-to-another-member-state",
    buyer=foreign(vat_number="DE123456788"),
    lines=(priced("900", vat=exempt("VATEX-EU-AE", VatCategory.REVERSE_CHARGE)),),
)
_of("export-of-goods", buyer=foreign(name="Modèle SA", billing_address=GENEVA),
    lines=(priced("1250", vat=exempt("VATEX-EU-G", VatCategory.EXPORT), kind=GOODS),))  # fmt: skip
_of("services-outside-the-union", buyer=foreign(name="Modèle SA", billing_address=GENEVA),
    lines=(priced("800", vat=exempt("VATEX-EU-O", VatCategory.OUT_OF_SCOPE)),))  # fmt: skip
_of("construction-subcontracting", lines=(priced("5400", vat=exempt("VATEX-FR-AE", VatCategory.REVERSE_CHARGE)),),
    contracting=Contracting.SUBCONTRACTOR)  # fmt: skip
_of("co-contractor", lines=(priced("2400"),), contracting=Contracting.CO_CONTRACTOR)
_of("disbursements", lines=(priced("300"), priced("46.20", vat=exempt("VATEX-EU-79-C"), description="Débours")))
for _code in ("VATEX-FR-CGI261-4-1", "VATEX-FR-CGI261-4-4", "VATEX-FR-CGI261-7", "VATEX-FR-CGI261D-2",
              "VATEX-FR-CGI261C-2", "VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J", "VATEX-EU-D"):  # fmt: skip
    _of(f"exempt-{_code.lower()}", lines=(priced("75", "2", vat=exempt(_code)),))
# ---- parties ---------------------------------------------------------------------------------------------------------
_of("consumer", buyer=factories.customer(description=factories.individual_description()))
_of("consumer-abroad", buyer=factories.customer(
    description=factories.individual_description(billing_address=BERLIN)))  # fmt: skip
_of("consumer-without-a-mailbox", buyer=factories.customer(
    description=factories.individual_description(email=None)))  # fmt: skip
_of("business-without-a-siren", buyer=factories.customer(siren=None, siret=None, vat_number=None))
_of("sole-trader", seller=factories.company(legal_form=LegalForm.SOLE_TRADER, share_capital_minor=None, rcs_city=None))
_of("trade-name-and-debits", seller=factories.company(trade_name="L'Exemplaire", vat_on_debits=True))
_of("without-a-bank-account", seller=factories.company(iban=None, bic=None))
_of(
    "public-sector",
    buyer=factories.customer(name="Commune de Modèle", vat_number=None),
    purchase_order="EJ-2026-000123",
    particulars=Particulars(buyer_reference="SERVICE-DSI", contract="M2026-07", project="Rénovation"),
)
_of(
    "builder",
    seller=factories.company(trade=TradeProfile(trades=(Trade.BUILDING,))),
    lines=(priced("2000", vat=taxed("10")),),
)
# ---- dates, terms, deliveries ----------------------------------------------------------------------------------------
_of(
    "delivered-elsewhere",
    particulars=Particulars(
        delivery_name="Dépôt nord",
        delivery_address=factories.address(line1="Zone du Modèle", postal_code="59000", city="Lille"),
    ),
    supply_date=date(2026, 11, 18),
)
_of(
    "a-month-of-services",
    particulars=Particulars(period=BillingPeriod(start=date(2026, 11, 1), end=date(2026, 11, 30))),
)
_of("end-of-month", payment_terms=PaymentTerms(rule=TermsRule.END_OF_MONTH_THEN_DAYS, days=45))
_of("due-date-of-its-own", due_date=date(2027, 1, 15))
_of("due-on-receipt", payment_terms=PaymentTerms(rule=TermsRule.ON_RECEIPT))
_of("discount-for-early-payment", seller=factories.company(early_payment_discount="2 % sous 8 jours"))
_of("texts-above-and-below", particulars=Particulars(header_text="Chantier du Modèle", footer_text="Garantie deux ans"),
    notes="Livré en deux fois.")  # fmt: skip
_of("with-attachments", attachments=(
    Attachment(name="plans.pdf", media_type="application/pdf", size_bytes=12_345, sha256="0" * 64,
               key="ten/attachments/0"),))  # fmt: skip
# ---- types -----------------------------------------------------------------------------------------------------------
for _method in PaymentMethod:
    _of(f"paid-by-{_method.value}", paid=replace(PAID, method=_method))
_of("deposit", document_type=DocumentType.DEPOSIT, lines=(priced("300", description="Acompte de 30 %"),))
_of(
    "final-after-deposits",
    lines=(priced("1000"), priced("300", "-1", description="Acompte n° F2026-00003 du 05/10/2026")),
    preceding=DEPOSIT,
)
_of("retention-of-guarantee", lines=(priced("2000", vat=taxed("10")),), retention_percent=Decimal(5))
_of("corrective", document_type=DocumentType.CORRECTIVE, preceding=DEPOSIT)
_of("in-dollars", particulars=Particulars(exchange=ExchangeRate(
    currency="USD", rate=Decimal("1.0871"), on=date(2026, 11, 20), source="BCE")))  # fmt: skip
_of("bilingual", particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))
_of("in-english", buyer=foreign(vat_number="DE123456788"), particulars=Particulars(language=DocumentLanguage.ENGLISH),
    lines=(priced("900", vat=exempt("VATEX-EU-AE", VatCategory.REVERSE_CHARGE)),))  # fmt: skip


# ---- what an invoice bills of a quote --------------------------------------------------------------------------------
SITUATIONS = (
    PrecedingDocument(invoice_id="inv_first", number="F2026-00004", issue_date=date(2026, 10, 12)),
    PrecedingDocument(invoice_id="inv_second", number="F2026-00007", issue_date=date(2026, 11, 9)),
)
_WORKS = ("Dépose et évacuation", "Cloisons et doublages", "Électricité", "Peinture des murs et des plafonds")


def situation_of(labels: tuple[str, ...], number: int = 2) -> Situation:
    """Each line half done before and three quarters now, but for the first, which is done."""
    return Situation(
        number=number,
        lines=tuple(
            SituationLine(
                index=place,
                label=label,
                worth_minor=240_000 + 1_000 * place,
                progress=Decimal(75) if place else Decimal(100),
                before_minor=(240_000 + 1_000 * place) // 2,
                net_minor=(240_000 + 1_000 * place) // (4 if place else 2),
            )
            for place, label in enumerate(labels)
        ),
    )


def billed(situation: Situation, vat: VatTreatment = VAT_20) -> tuple[Line, ...]:
    """The lines of the invoice of a situation."""
    return tuple(
        priced(f"{one.net_minor / 100:.2f}", description=one.label, details=f"Avancement : {one.progress} %", vat=vat)
        for one in situation.lines
    )


_SECOND = situation_of(_WORKS)
_LONG = situation_of(tuple(f"{_WORKS[rank % 4]}, lot {rank + 1}" for rank in range(70)), number=3)
_WHOLE = Situation(number=1, lines=(replace(_SECOND.lines[1], index=None, label="Ensemble du devis D2026-00012"),))
_of("situation", situation=_SECOND, lines=billed(_SECOND), quote_id="quo_1")
_of("situation-of-the-whole", situation=_WHOLE, lines=billed(_WHOLE), quote_id="quo_1")
_of("situation-over-several-pages", situation=_LONG, lines=billed(_LONG), quote_id="quo_1")
_of("situation-in-two-languages", situation=_SECOND, lines=billed(_SECOND), quote_id="quo_1",
    particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))  # fmt: skip
_REST = (
    priced("9600", description="Rénovation du rez-de-chaussée"),
    priced("2400", "-1", description="Facture n° F2026-00004 du 12/10/2026"),
    priced("3100", "-1", description="Facture n° F2026-00007 du 09/11/2026"),
)
_of("final-after-situations", lines=_REST, preceding=SITUATIONS, quote_id="quo_1")
_of("final-in-two-languages", lines=_REST, preceding=SITUATIONS, quote_id="quo_1",
    particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))  # fmt: skip
_of("deposit-of-a-known-supply", document_type=DocumentType.DEPOSIT, supply_date=date(2026, 11, 2),
    lines=(priced("450", description="Acompte de 30 %"),))  # fmt: skip
_of(
    "deposit-to-another-member-state",
    document_type=DocumentType.DEPOSIT,
    buyer=foreign(vat_number="DE123456788"),
    lines=(priced("450", vat=exempt("VATEX-EU-IC", VatCategory.INTRA_COMMUNITY), kind=GOODS),),
)
_of(
    "deposit-of-a-period-to-another-member-state",
    document_type=DocumentType.DEPOSIT,
    buyer=foreign(vat_number="DE123456788"),
    particulars=Particulars(period=NOVEMBER),
    lines=(priced("475", vat=exempt("VATEX-EU-IC", VatCategory.INTRA_COMMUNITY), kind=GOODS),),
)
_of("deposit-in-two-languages", document_type=DocumentType.DEPOSIT, lines=(priced("330", description="Acompte"),),
    particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))  # fmt: skip
# ---- work at home at a reduced rate, certified by the customer -------------------------------------------------------
RENOVATOR = TradeProfile(
    trades=(Trade.BUILDING,),
    insurance=Insurance(
        insurer="Assureur Exemple", contact="1 rue de l'Exemple, Paris", territory="France", policy="42"
    ),
    mediator=Mediator(name="Médiateur Exemple", address="2 rue de l'Exemple, Paris", website="mediateur.exemple"),
    waste_statement="évacuation et tri des gravats, 12 m³, déchetterie de l'Exemple, 240 € TTC",
    withdrawal_terms="Le client a quatorze jours pour se rétracter, sans motif (Code de la consommation, L221-18)",
)
_AT_HOME = (
    priced("180", "12", description="Pose de carrelage", unit="MTK", vat=taxed("10")),
    priced("2450", description="Isolation des combles", vat=VAT_5_5),
)


def _at_home(**changes: Any) -> dict[str, Any]:
    return {
        "seller": factories.company(trade=RENOVATOR),
        "buyer": factories.customer(description=factories.individual_description()),
        "lines": _AT_HOME,
    } | changes


_of("renovation-at-one-rate", **_at_home(lines=_AT_HOME[:1]))
_of("renovation-at-two-rates", **_at_home())
_of("renovation-for-a-company", **_at_home(buyer=factories.customer(), lines=_AT_HOME[1:]))
_of("renovation-in-two-languages", **_at_home(
    particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH)))  # fmt: skip
_of("renovation-deposit", **_at_home(document_type=DocumentType.DEPOSIT))
# ---- small print -----------------------------------------------------------------------------------------------------
_of("small-print-set-closer", lines=factories.many_lines(10), notes="Merci !")
_of("small-print-with-the-payment", lines=factories.many_lines(12))
_of("paid-in-two-languages", paid=PAID, particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))
_of("paid-in-english", paid=PAID, buyer=foreign(vat_number="DE123456788"),
    particulars=Particulars(language=DocumentLanguage.ENGLISH),
    lines=(priced("910", vat=exempt("VATEX-EU-AE", VatCategory.REVERSE_CHARGE)),))  # fmt: skip


@sample("credit-note-in-full")
def _credit_in_full() -> IssuedInvoice:
    return credit_of(issued(discount=Discount(percent=Decimal(5))), CreditInFull())


@sample("credit-note-by-line")
def _credit_by_line() -> IssuedInvoice:
    return credit_of(issued(), CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(2)),)))


@sample("credit-note-by-amount")
def _credit_by_amount() -> IssuedInvoice:
    return credit_of(issued(), CreditByVat(amounts=(VatCredit(vat=VAT_20, net_minor=3_333),)))


@sample("credit-note-under-the-franchise")
def _credit_of_franchise() -> IssuedInvoice:
    return credit_of(
        issued(seller=factories.franchise_company()), CreditInFull(), company=factories.franchise_company()
    )


@sample("credit-note-on-a-deposit")
def _credit_of_deposit() -> IssuedInvoice:
    deposit = issued(document_type=DocumentType.DEPOSIT, lines=(priced("300", description="Acompte de 30 %"),))
    return credit_of(deposit, CreditInFull())


@sample("credit-note-on-renovation")
def _credit_of_renovation() -> IssuedInvoice:
    return credit_of(issued(**_at_home()), CreditInFull(), company=factories.company(trade=RENOVATOR))


# ---- quotes, which have no XML ---------------------------------------------------------------------------------------
QUOTES: dict[str, Callable[[], Quote]] = {}


def quoted(*, seller: Company | None = None, buyer: Customer | None = None, **content: Any) -> Quote:
    """A quote of sample lines finalised through the domain's own rules."""
    held = factories.content(**{"lines": factories.sample_lines()} | content)
    seller, buyer = seller or factories.company(), buyer or factories.customer()
    draft = Quote(
        tenant_id=factories.TENANT_ID,
        quote_id="quo_1",
        version=1,
        content=held,
        valid_until=None,
        customer_name=buyer.description.name,
        totals=held.computed(),
        created_at=factories.ISSUED_AT,
        updated_at=factories.ISSUED_AT,
    )
    allocation = allocate(SeriesState.untouched(Series.QUOTE), DEFAULT_PATTERNS[Series.QUOTE], factories.ISSUED_ON)
    return finalise(draft, company=seller, customer=buyer, allocation=allocation, issued_at=factories.ISSUED_AT)


QUOTES["quote"] = quoted
QUOTES["quote-in-two-languages"] = lambda: quoted(particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))
QUOTES["quote-of-renovation"] = lambda: quoted(**_at_home())
QUOTES["quote-of-renovation-in-two-languages"] = lambda: quoted(
    **_at_home(particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH))
)

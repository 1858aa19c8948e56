"""What a credit note takes back of an issued invoice, to the cent, and the document that says so.

Per VAT group the VAT credited is always the rounded VAT of the net credited so far. Hence any sequence of partial
credit notes that takes all of the net takes all of the VAT, and credit + invoice = 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from billing.domain.crediting import (
    CreditedGroup,
    CreditedLine,
    CreditSettlement,
    Excess,
    VatRounding,
    groups_of,
    vat_of,
    with_vat_rounding,
)
from billing.domain.currency import EURO
from billing.domain.errors import CreditExceedsRemaining, FieldError, FieldErrors
from billing.domain.invoice import (
    DEPOSITS_WITHOUT_SUPPLY,
    MAX_DOCUMENT_BYTES,
    DocumentType,
    InvoiceDocument,
    IssuedInvoice,
    PrecedingDocument,
    document_hash,
    vat_in_euros,
)
from billing.domain.ledger import EntryKind, Ledger, LedgerEntry, PaymentMethod
from billing.domain.mentions import mentions_for
from billing.domain.money import apportion, multiply, round_minor, to_major
from billing.domain.numbering import NumberAllocation
from billing.domain.parties import Company, CompanyDescription, ProductKind
from billing.domain.printing import company_texts, unprintable_errors
from billing.domain.process import process_codes
from billing.domain.template import Template
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import ComputedLine, Discount, Line, Totals, compute_totals
from billing.domain.typography import amount_words
from billing.domain.vat import RULES_VERSION, VatCategory, VatTreatment
from billing.domain.warnings import Notice

PIECE = "C62"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditInFull:
    """Whatever remains to be credited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCredit:
    """One line of the invoice by its index from 0: a quantity of it, or an amount in cents without VAT."""

    index: int
    quantity: Decimal | None = None
    net_minor: int | None = None

    def __post_init__(self) -> None:
        if (self.quantity is None) == (self.net_minor is None):
            raise ValueError("a line is credited by a quantity or by an amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditByLine:
    lines: tuple[LineCredit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCredit:
    """Cents without VAT of one VAT group."""

    vat: VatTreatment
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditByVat:
    amounts: tuple[VatCredit, ...]


CreditScope = CreditInFull | CreditByLine | CreditByVat


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedCredit:
    """The content of a credit note: its totals, and what they take of which group and line of the invoice."""

    totals: Totals
    mirrored: bool = False  # it has the invoice's own lines, discount, allowances and charges
    vat_rounding: tuple[VatRounding, ...]
    credited_lines: tuple[CreditedLine, ...]

    @property
    def groups(self) -> tuple[CreditedGroup, ...]:
        return groups_of(self.totals)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteInput:
    scope: CreditScope
    reason: str
    excess: Excess = Excess.CUSTOMER_CREDIT
    refund_method: PaymentMethod | None = None  # as what the invoice keeps was paid at Stripe, else by transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNotePreview:
    """What a credit note would say and settle; nothing is saved."""

    invoice: IssuedInvoice
    computed: ComputedCredit
    settlement: CreditSettlement
    warnings: tuple[Notice, ...] = ()


def remaining_groups(document: InvoiceDocument, ledger: Ledger) -> tuple[CreditedGroup, ...]:
    """What is left to credit of each VAT group."""
    credited = {group.vat: group for group in ledger.credited_groups}
    left = []
    for group in groups_of(document.totals):
        taken = credited.get(group.vat) or replace(group, net_minor=0, vat_minor=0)
        left.append(
            replace(group, net_minor=group.net_minor - taken.net_minor, vat_minor=group.vat_minor - taken.vat_minor)
        )
    return tuple(left)


def line_amounts(totals: Totals) -> tuple[int, ...]:
    """What each line is worth, in cents without VAT, once the document's discount and allowances are spread over it.

    Charges of the document belong to no line. In a group that has a negative line, nothing is spread.
    """
    amounts = [item.net_minor for item in totals.lines]
    for group in totals.vat_breakdown:
        places = [index for index, item in enumerate(totals.lines) if item.line.vat == group.vat]
        weights = tuple(totals.lines[index].net_minor for index in places)
        worth_minor = group.lines_minor - group.discount_minor
        if min(weights, default=-1) < 0 or worth_minor < 0:
            continue
        for index, amount in zip(places, apportion(worth_minor, weights), strict=True):
            amounts[index] = amount
    return tuple(amounts)


def compute_credit(document: InvoiceDocument, ledger: Ledger, scope: CreditScope) -> ComputedCredit:
    """What a credit note of this scope holds.

    Raises:
        CreditExceedsRemaining: more than is left to credit, of a line, a VAT group or the whole.
        FieldErrors: a line or a VAT group that the invoice does not have.
    """
    left = remaining_groups(document, ledger)
    taken: tuple[CreditedLine, ...] = ()
    lines: tuple[Line, ...]
    match scope:
        case CreditInFull():
            mirrored = _mirror(document) if not ledger.credited_minor else None
            if mirrored is not None:
                _hold_within(document, ledger, left, mirrored, scope)
                return ComputedCredit(
                    totals=mirrored, mirrored=True, vat_rounding=(), credited_lines=_whole_lines(document)
                )
            lines = _rest(document, left)
        case CreditByLine():
            lines, taken = _by_line(document, ledger, scope)
        case CreditByVat():
            lines = _by_vat(document, left, scope)
    totals = compute_totals(lines)
    rounding = _rounding(ledger, totals)
    totals = with_vat_rounding(totals, rounding)
    _hold_within(document, ledger, left, totals, scope)
    return ComputedCredit(totals=totals, vat_rounding=rounding, credited_lines=taken)


def _whole_lines(document: InvoiceDocument) -> tuple[CreditedLine, ...]:
    amounts = line_amounts(document.totals)
    return tuple(
        CreditedLine(index=index, quantity=item.line.quantity, net_minor=amounts[index])
        for index, item in enumerate(document.totals.lines)
    )


def _mirror(document: InvoiceDocument) -> Totals | None:
    """The invoice's own lines, discount, allowances and charges; None unless they say exactly all of it."""
    totals = compute_totals(
        tuple(item.line for item in document.totals.lines),
        discount=document.document_discount,
        allowances=document.allowances,
        charges=document.charges,
    )
    return totals if groups_of(totals) == groups_of(document.totals) else None


def _rest(document: InvoiceDocument, left: tuple[CreditedGroup, ...]) -> tuple[Line, ...]:
    """One line for each VAT group of which something remains."""
    lines = tuple(
        _amount_line(f"Solde de la facture {document.number}", document, group.vat, group.net_minor)
        for group in left
        if group.net_minor
    )
    if not lines:
        raise CreditExceedsRemaining(
            "Cette facture est déjà entièrement créditée.",
            "This invoice is fully credited already.",
            pointer="/mode",
        )
    return lines


def _amount_line(
    description: str, document: InvoiceDocument, vat: VatTreatment, net_minor: int, details: str = ""
) -> Line:
    """A line that is worth these cents; a negative amount goes by its quantity, for prices are not (BR-27)."""
    kinds = [item.line.kind for item in document.totals.lines if item.line.vat == vat]
    return Line(
        description=description,
        details=details,
        quantity=Decimal(1 if net_minor >= 0 else -1),
        unit=PIECE,
        unit_price=to_major(abs(net_minor)),
        vat=vat,
        kind=kinds[0] if kinds else ProductKind.SERVICE,
    )


def _by_vat(document: InvoiceDocument, left: tuple[CreditedGroup, ...], scope: CreditByVat) -> tuple[Line, ...]:
    known = {group.vat: group for group in left}
    errors: list[FieldError] = []
    seen: set[VatTreatment] = set()
    lines = []
    for index, wanted in enumerate(scope.amounts):
        if wanted.vat not in known:
            errors.append(
                FieldError(
                    f"/amounts/{index}/vat_rate",
                    "La facture n'a pas ce régime de TVA.",
                    "The invoice has no such VAT treatment.",
                )
            )
        elif wanted.vat in seen:
            errors.append(FieldError(f"/amounts/{index}/vat_rate", "Nommé deux fois.", "Named twice."))
        else:
            lines.append(
                _amount_line(f"Avoir partiel sur la facture {document.number}", document, wanted.vat, wanted.net_minor)
            )
        seen.add(wanted.vat)
    if errors:
        raise FieldErrors(tuple(errors))
    return tuple(lines)


def _by_line(
    document: InvoiceDocument, ledger: Ledger, scope: CreditByLine
) -> tuple[tuple[Line, ...], tuple[CreditedLine, ...]]:
    errors = tuple(_line_index_errors(document, scope))
    if errors:
        raise FieldErrors(errors)
    amounts = line_amounts(document.totals)
    before = {line.index: line for line in ledger.credited_lines}
    lines, taken = [], []
    for place, wanted in enumerate(scope.lines):
        item = document.totals.lines[wanted.index]
        credited = before.get(wanted.index) or CreditedLine(index=wanted.index, quantity=Decimal(0), net_minor=0)
        net_minor = _line_net(
            item, amounts[wanted.index], credited, wanted, pointer=f"/lines/{place}", currency=document.currency
        )
        if net_minor <= 0:
            continue  # so small a part of a line that it is worth less than half a cent
        lines.append(_credited_line(document, item, wanted.quantity, net_minor))
        taken.append(
            CreditedLine(index=wanted.index, quantity=wanted.quantity or Decimal(0), net_minor=net_minor),
        )
    if not lines:
        raise CreditExceedsRemaining("Il n'y a rien à créditer.", "There is nothing to credit.", pointer="/lines")
    return tuple(lines), tuple(taken)


def _line_index_errors(document: InvoiceDocument, scope: CreditByLine) -> Iterator[FieldError]:
    count = len(document.totals.lines)
    seen: set[int] = set()
    for place, wanted in enumerate(scope.lines):
        pointer = f"/lines/{place}/index"
        if wanted.index >= count:
            yield FieldError(pointer, f"La facture a {count} ligne(s).", f"The invoice has {count} line(s).")
        elif wanted.index in seen:
            yield FieldError(pointer, "Ligne nommée deux fois.", "The line is named twice.")
        elif document.totals.lines[wanted.index].net_minor <= 0:
            yield FieldError(pointer, "Cette ligne ne se crédite pas.", "This line cannot be credited.")
        seen.add(wanted.index)


def _line_net(
    item: ComputedLine, worth_minor: int, credited: CreditedLine, wanted: LineCredit, *, pointer: str, currency: str
) -> int:
    """Cents of a line; the last of its quantity takes what is left of its amount."""
    left_minor = worth_minor - credited.net_minor
    if wanted.net_minor is not None:
        net_minor = wanted.net_minor
    else:
        assert wanted.quantity is not None  # noqa: S101 - held by LineCredit
        upto = credited.quantity + wanted.quantity
        if upto > item.line.quantity:
            raise CreditExceedsRemaining(
                f"Ligne {wanted.index + 1} : cette quantité dépasse ce qui reste à créditer.",
                f"Line {wanted.index + 1}: the quantity exceeds what is left to credit.",
                pointer=f"{pointer}/quantity",
            )
        if upto == item.line.quantity:
            return left_minor
        share = _share(worth_minor, upto, item.line.quantity) - _share(
            worth_minor, credited.quantity, item.line.quantity
        )
        net_minor = min(share, left_minor)
    if net_minor > left_minor:
        left, english = amount_words(left_minor, currency)
        raise CreditExceedsRemaining(
            f"Ligne {wanted.index + 1} : il reste {left} HT à créditer.",
            f"Line {wanted.index + 1}: {english} without VAT is left to credit.",
            pointer=f"{pointer}/net_minor",
        )
    return net_minor


def _share(amount_minor: int, part: Decimal, whole: Decimal) -> int:
    """``part`` of a ``whole`` worth some cents, to the cent, half away from zero; exact, for both are decimals."""
    numerator, denominator = multiply(Decimal(amount_minor), part).as_integer_ratio()
    top, bottom = whole.as_integer_ratio()
    doubled = 2 * numerator * bottom
    divisor = denominator * top
    return (doubled + divisor) // (2 * divisor)


def _credited_line(document: InvoiceDocument, item: ComputedLine, quantity: Decimal | None, net_minor: int) -> Line:
    """The line as it was sold, for the part credited, when its price gives the amount; else the amount alone."""
    line = item.line
    if quantity is not None:
        gross_minor = round_minor(multiply(quantity, line.unit_price, Decimal(100)))
        if gross_minor >= net_minor:
            reason = line.discount.reason if line.discount else "Remise"
            discount = Discount(amount_minor=gross_minor - net_minor, reason=reason)
            return replace(line, quantity=quantity, discount=discount if gross_minor > net_minor else None, charge=None)
    return replace(
        _amount_line(line.description, document, line.vat, net_minor, line.details),
        kind=line.kind,
        product_id=line.product_id,
    )


def _rounding(ledger: Ledger, totals: Totals) -> tuple[VatRounding, ...]:
    credited = {group.vat: group.net_minor for group in ledger.credited_groups}
    found = []
    for group in totals.vat_breakdown:
        before = credited.get(group.vat, 0)
        wanted = vat_of(group.vat, before + group.taxable_minor) - vat_of(group.vat, before)
        if wanted != group.vat_minor:
            found.append(VatRounding(vat=group.vat, amount_minor=wanted - group.vat_minor))
    return tuple(found)


def _hold_within(
    document: InvoiceDocument, ledger: Ledger, left: tuple[CreditedGroup, ...], totals: Totals, scope: CreditScope
) -> None:
    """Never more than remains, per VAT group and in total."""
    by_vat = {group.vat: group for group in left}
    for group in totals.vat_breakdown:
        rest = by_vat[group.vat].net_minor
        if abs(group.taxable_minor) > abs(rest) or group.taxable_minor * rest < 0:
            name = f"{group.vat.rate.normalize():f} %" if group.vat.rate else "sans TVA"
            amount, english = amount_words(rest, document.currency)
            raise CreditExceedsRemaining(
                f"TVA {name} : il reste {amount} HT à créditer.",
                f"VAT {group.vat.rate.normalize():f}%: {english} without VAT is left to credit.",
                pointer=_asked(scope, group.vat),
            )
    rest = document.totals.total_minor - ledger.credited_minor
    if totals.total_minor > rest or totals.total_minor <= 0:
        amount, english = amount_words(rest, document.currency)
        raise CreditExceedsRemaining(
            f"Il reste {amount} à créditer.",
            f"{english} is left to credit.",
            pointer=_asked(scope),
        )


def _asked(scope: CreditScope, vat: VatTreatment | None = None) -> str:
    """The pointer of what asks for credit, as a whole or of a VAT treatment."""
    match scope:
        case CreditByVat():
            place = next((place for place, wanted in enumerate(scope.amounts) if wanted.vat == vat), None)
            return "/amounts" if place is None else f"/amounts/{place}/net_minor"
        case CreditByLine():
            return "/lines"
        case CreditInFull():
            return "/mode"


def settle(ledger: Ledger, amount_minor: int, excess: Excess, *, currency: str = EURO) -> CreditSettlement:
    """Against what is owed first; the rest was paid, and goes where it is asked to.

    Raises:
        FieldErrors: the rest would become a credit, which is in euros, and is not.
    """
    applied = min(amount_minor, max(ledger.balance_minor, 0))
    rest = amount_minor - applied
    if excess is Excess.REFUND:
        return CreditSettlement(applied_minor=applied, refunded_minor=rest)
    if rest and currency != EURO:
        raise FieldErrors(
            (
                FieldError(
                    "/excess",
                    "Le crédit d'un client est en euros : remboursez ce qui a été payé en devise.",
                    "A customer's credit is in euros: refund what was paid in another currency.",
                ),
            )
        )
    return CreditSettlement(applied_minor=applied, customer_credit_minor=rest)


def credit_entries(
    invoice: IssuedInvoice,
    note: IssuedInvoice,
    credited_lines: tuple[CreditedLine, ...],
    *,
    entry_id: str,
    method: PaymentMethod | None,
    by: str,
) -> tuple[LedgerEntry, ...]:
    """What a credit note writes on its invoice: what was paid for the part taken back is released first, then credited.

    ``entry_id`` is for the release; the credit has the id of the credit note.
    """
    document = note.document
    settlement = document.settlement
    assert settlement is not None  # noqa: S101 - every credit note is settled
    rank = invoice.ledger.entry_count
    entries: list[LedgerEntry] = []
    for kind, amount_minor in (
        (EntryKind.RELEASE, settlement.customer_credit_minor),
        (EntryKind.REFUND, settlement.refunded_minor),
    ):
        if amount_minor:
            rank += 1
            entries.append(
                LedgerEntry(
                    entry_id=entry_id,
                    rank=rank,
                    kind=kind,
                    amount_minor=amount_minor,
                    entry_date=document.issue_date,
                    method=method if kind is EntryKind.REFUND else None,
                    reference=document.number,
                    recorded_at=document.issued_at,
                    recorded_by=by,
                    source_id=note.invoice_id,
                )
            )
    credit = LedgerEntry(
        entry_id=note.invoice_id,
        rank=rank + 1,
        kind=EntryKind.CREDIT,
        amount_minor=document.totals.total_minor,
        entry_date=document.issue_date,
        reference=document.number,
        recorded_at=document.issued_at,
        recorded_by=by,
        source_id=note.invoice_id,
        groups=groups_of(document.totals),
        lines=credited_lines,
    )
    return (*entries, credit)


def _supply_to_come(credited: InvoiceDocument) -> bool:
    """As its deposit says. An older deposit kept its day of issue where no date of supply was given."""
    if credited.generation >= DEPOSITS_WITHOUT_SUPPLY or credited.document_type is not DocumentType.DEPOSIT:
        return credited.supply_to_come
    categories = {group.vat.category for group in credited.totals.vat_breakdown}
    return credited.supply_date == credited.issue_date and VatCategory.INTRA_COMMUNITY not in categories


def freeze_credit_note(
    credit_note_id: str,
    invoice: IssuedInvoice,
    computed: ComputedCredit,
    *,
    company: Company,
    allocation: NumberAllocation,
    settlement: CreditSettlement,
    reason: str,
    issued_at: datetime,
) -> IssuedInvoice:
    """The issued credit note of an invoice, addressed to the buyer that the invoice names.

    Raises:
        FieldErrors: a text that cannot be printed.
    """
    credited = invoice.document
    seller = _seller(company.description, credited)
    errors = unprintable_errors((("/reason", reason), *company_texts(seller, "/company")))
    if errors:
        raise FieldErrors(tuple(errors))
    document = InvoiceDocument(
        tenant_id=invoice.tenant_id,
        invoice_id=credit_note_id,
        document_type=type_of_credit(credited),
        series=allocation.series,
        year=allocation.year,
        rank=allocation.rank,
        number=allocation.number,
        previous_hash=allocation.previous.last_hash,
        issue_date=allocation.issue_date,
        issued_at=issued_at,
        supply_date=credited.supply_date,
        due_date=allocation.issue_date,
        currency=credited.currency,
        seller=seller,
        seller_logo=company.logo,
        customer_id=credited.customer_id,
        buyer=credited.buyer,
        totals=computed.totals,
        document_discount=credited.document_discount if computed.mirrored else None,
        allowances=credited.allowances if computed.mirrored else (),
        charges=credited.charges if computed.mirrored else (),
        purchase_order=credited.purchase_order,
        notes="",
        mentions=tuple(
            mention
            for mention in mentions_for(
                seller,
                credited.buyer,
                computed.totals,
                in_english=credited.particulars.language is not DocumentLanguage.FRENCH,
            )
            if not mention.to_sign  # the customer certified the rate on the invoice
        ),
        rules_version=RULES_VERSION,
        template_version=Template(design=seller.design).version,
        preceding=(
            PrecedingDocument(invoice_id=invoice.invoice_id, number=credited.number, issue_date=credited.issue_date),
        ),
        quote_id=credited.quote_id,
        particulars=replace(credited.particulars, header_text="", footer_text=""),
        contracting=credited.contracting,
        codes=process_codes(
            seller,
            credited.buyer,
            computed.totals,
            is_deposit=credited.document_type is DocumentType.DEPOSIT,
            deducts_deposits=False,
            paid=None,
            contracting=credited.contracting,
        ),
        reason=reason,
        settlement=settlement,
        vat_rounding=computed.vat_rounding,
        vat_euros_minor=vat_in_euros(credited.particulars, computed.totals),
        supply_to_come=_supply_to_come(credited),
    )
    canonical = document.canonical()
    if len(canonical.encode()) > MAX_DOCUMENT_BYTES:
        raise FieldErrors((FieldError("/lines", "L'avoir est trop volumineux.", "The credit note is too large."),))
    return IssuedInvoice(
        tenant_id=invoice.tenant_id,
        invoice_id=credit_note_id,
        version=1,
        document=document,
        document_hash=document_hash(canonical),
        ledger=Ledger(total_minor=computed.totals.due_minor),
        created_at=issued_at,
        updated_at=issued_at,
    )


def settlement_lines(document: InvoiceDocument) -> list[tuple[str, int]]:
    """How a credit note is settled, in French, with cents; what is zero is left out.

    What the note does: on the day of its issue the money is seldom there yet.
    """
    settlement = document.settlement
    if settlement is None:
        return []
    number = document.preceding[0].number if document.preceding else ""
    lines = [
        (f"Déduit de la facture {number}", settlement.applied_minor),
        ("Conservé à votre crédit", settlement.customer_credit_minor),
        ("Remboursement", settlement.refunded_minor),
    ]
    return [(label, amount_minor) for label, amount_minor in lines if amount_minor]


def type_of_credit(credited: InvoiceDocument) -> DocumentType:
    """503 for a deposit invoice, 381 otherwise (UNTDID 1001)."""
    is_deposit = credited.document_type is DocumentType.DEPOSIT
    return DocumentType.DEPOSIT_CREDIT_NOTE if is_deposit else DocumentType.CREDIT_NOTE


def _seller(today: CompanyDescription, credited: InvoiceDocument) -> CompanyDescription:
    """The company as it is today, but under the VAT regime of the invoice: what was charged is what is given back."""
    then = credited.seller
    if today.vat_regime is then.vat_regime:
        return today
    return replace(today, vat_regime=then.vat_regime, vat_number=then.vat_number, vat_on_debits=then.vat_on_debits)


def earliest_credit_date(invoice: IssuedInvoice, last_date: date | None, today: date) -> date:
    """Today, or later when the series or the invoice is dated later (another request may be past midnight)."""
    return max(today, invoice.document.issue_date, last_date or today)

"""Billing an accepted quote: at once, by deposits and parts, and the rest. All of it re-adds to the quote, per rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from billing.domain.dates import format_french
from billing.domain.errors import FieldError, FieldErrors, QuoteAlreadyInvoiced, QuotePartOpen
from billing.domain.invoice import (
    DocumentType,
    DraftInvoice,
    Invoice,
    InvoiceContent,
    IssuedInvoice,
    PrecedingDocument,
)
from billing.domain.money import apportion, percentage_of, to_major
from billing.domain.parties import ProductKind
from billing.domain.quote import PartGroup, PartKind, Quote, QuotePart
from billing.domain.quote_lines import (
    LineShare,
    LineState,
    adjusted,
    deposits_after,
    line_states,
    progress_nets,
    room,
    spread_over_lines,
)
from billing.domain.situation import MAX_LABEL, Situation, SituationLine
from billing.domain.tongue import Tongue
from billing.domain.totals import Adjustment, Line
from billing.domain.vat import VatCategory, VatTreatment

_UNIT = "C62"
Nets = dict[VatTreatment, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a quote: a percentage of it (30.0), cents without VAT, or all the work done so far in percent.

    ``lines``: the work done so far of some lines; the others stay where they are.
    """

    percent: Decimal | None = None
    net_minor: int | None = None
    progress: Decimal | None = None
    lines: tuple[LineShare, ...] | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.percent, self.net_minor, self.progress, self.lines)) != 1:
            raise ValueError("a share is a percentage, an amount, a progress or lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What an invoice says, and what it bills of the quote: at each rate, and of each line."""

    content: InvoiceContent
    kind: PartKind
    groups: tuple[PartGroup, ...]
    lines: tuple[int, ...]

    def part(self, invoice_id: str) -> QuotePart:
        return QuotePart(
            invoice_id=invoice_id,
            kind=self.kind,
            groups=self.groups,
            lines=self.lines,
            deducts=self.kind is PartKind.FINAL or self.content.situation is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteBilling:
    """A quote with the invoices that bill it, and the cents without VAT left to invoice by rate."""

    quote: Quote
    invoices: Mapping[str, Invoice]
    remaining: Nets
    lines: tuple[LineState, ...]

    @property
    def to_invoice_minor(self) -> int:
        """With VAT."""
        return sum(net_minor + _vat(net_minor, vat) for vat, net_minor in self.remaining.items())

    @property
    def to_collect_minor(self) -> int:
        """What is owed on issued invoices and what is still to be invoiced, with VAT."""
        owed = sum(one.ledger.balance_minor for one in self.invoices.values() if isinstance(one, IssuedInvoice))
        drafts = sum(one.totals.due_minor for one in self.invoices.values() if isinstance(one, DraftInvoice))
        return owed + drafts + self.to_invoice_minor

    def retained_minor(self, today: date) -> int:
        """What of the balances need not be paid yet."""
        return sum(one.retained_minor(today) for one in self.invoices.values() if isinstance(one, IssuedInvoice))

    def payable_minor(self, today: date) -> int:
        """What is owed on issued invoices less what they retain."""
        return sum(one.payable_minor(today) for one in self.invoices.values() if isinstance(one, IssuedInvoice))


def remaining(quote: Quote, invoices: Mapping[str, Invoice]) -> Nets:
    """Cents without VAT left to invoice, by rate: what was credited, by the ledgers, can be invoiced again."""
    left = {group.vat: group.taxable_minor for group in quote.totals.vat_breakdown}
    for part in quote.parts:
        for group in part.groups:
            left[group.vat] -= group.net_minor
        for vat, net_minor in _credited(invoices.get(part.invoice_id)).items():
            left[vat] = left.get(vat, 0) + net_minor
    return left


def billing_of(quote: Quote, invoices: Mapping[str, Invoice]) -> QuoteBilling:
    return QuoteBilling(
        quote=quote, invoices=invoices, remaining=remaining(quote, invoices), lines=line_states(quote, invoices)
    )


def part_content(
    quote: Quote,
    share: Share,
    kind: PartKind,
    invoices: Mapping[str, Invoice],
    *,
    retention_percent: Decimal | None = None,
) -> Billed:
    """A deposit (type 386), or a part of the work: one line per rate, or one per line of the quote.

    Each net is the nearest to the share at which part and rest have together the VAT of what remained, so that no
    cent of VAT is made or lost by invoicing in parts. A deposit is paid before the work: nothing is retained of it.

    Raises: QuotePartOpen, QuoteAlreadyInvoiced, FieldErrors (nothing, or more than what remains).
    """
    left = _billable(quote, invoices)
    states = line_states(quote, invoices)
    if share.lines is None:
        nets = _nets(quote, share, left)
        taken = spread_over_lines(quote, nets, tuple(state.left_minor for state in states))
        lines = _rate_lines(quote, share, kind, nets)
        situation = _whole_situation(quote, share, left, nets)
        if situation is not None:
            situation = _with_deposits(situation, taken, states)
    else:
        taken = _line_nets(quote, share.lines, states, left)
        nets = dict.fromkeys(left, 0)
        for net_minor, state in zip(taken, states, strict=True):
            nets[state.vat] += net_minor
        situation = _with_deposits(_situation(quote, share.lines, states, taken), taken, states)
        lines = _billed_lines(quote, situation)
    content = replace(
        _bare(quote),
        lines=lines,
        discount=None,
        allowances=(),
        charges=(),
        document_type=DocumentType.DEPOSIT if kind is PartKind.DEPOSIT else DocumentType.INVOICE,
        situation=situation,
        retention_percent=None
        if kind is PartKind.DEPOSIT
        else (quote.content.retention_percent if retention_percent is None else retention_percent or None),
    )
    return Billed(content=content, kind=kind, groups=_groups(nets), lines=taken)


def _rate_lines(quote: Quote, share: Share, kind: PartKind, nets: Nets) -> tuple[Line, ...]:
    return tuple(
        Line(
            description=_label(quote, share, kind),
            quantity=Decimal(1 if net_minor > 0 else -1),
            unit=_UNIT,
            unit_price=to_major(abs(net_minor)),
            vat=vat,
            kind=_kind(quote, vat),
        )
        for vat, net_minor in nets.items()
        if net_minor
    )


def _line_nets(
    quote: Quote, shares: tuple[LineShare, ...], states: tuple[LineState, ...], left: Nets
) -> tuple[int, ...]:
    """What each line bills. Raises: FieldErrors."""
    taken = progress_nets(quote, shares, states, left)
    for vat, available in left.items():
        asked = sum(net for net, state in zip(taken, states, strict=True) if state.vat == vat)
        if asked:
            most = min(available, room(taken, states, vat))
            found = _without_a_lost_cent(asked, available, vat, most=most)
            taken = adjusted(taken, states, vat, found - asked)
    if not any(taken):
        raise FieldErrors((FieldError("/lines", "Cette situation est vide.", "This situation is empty."),))
    return taken


def _situation(
    quote: Quote, shares: tuple[LineShare, ...], states: tuple[LineState, ...], taken: tuple[int, ...]
) -> Situation:
    """Every line of the quote as it stands now."""
    stated = {share.index: share.progress for share in shares}
    return Situation(
        number=_next_situation(quote),
        lines=tuple(
            SituationLine(
                index=place,
                label=_short(quote.totals.lines[place].line.description),
                worth_minor=state.worth_minor,
                progress=stated.get(place, state.reached or Decimal(0)),
                before_minor=state.billed_minor,
                net_minor=taken[place],
            )
            for place, state in enumerate(states)
        ),
    )


def _whole_situation(quote: Quote, share: Share, left: Nets, nets: Nets) -> Situation | None:
    """A progress of the work as a whole has one line."""
    if share.progress is None:
        return None
    worth = sum(group.taxable_minor for group in quote.totals.vat_breakdown)
    whole = SituationLine(
        index=None,
        label=f"Ensemble du devis {quote.number}",
        worth_minor=worth,
        progress=share.progress,
        before_minor=worth - sum(left.values()),
        net_minor=sum(nets.values()),
    )
    return Situation(number=_next_situation(quote), lines=(whole,))


def _with_deposits(situation: Situation, taken: tuple[int, ...], states: tuple[LineState, ...]) -> Situation:
    """What of each line stays a deposit, ahead of the work, after this situation."""
    ahead = deposits_after(PartKind.PART, taken, states, situation)
    return replace(
        situation,
        lines=tuple(
            replace(one, deposit_minor=sum(ahead) if one.index is None else ahead[one.index]) for one in situation.lines
        ),
    )


def _billed_lines(quote: Quote, situation: Situation) -> tuple[Line, ...]:
    """One line per line of the quote that bills something; one billed in full at once stands as it was offered."""
    lines, tongue = [], quote.content.particulars.tongue
    for one in situation.lines:
        assert one.index is not None  # noqa: S101 - of single lines
        offered = quote.totals.lines[one.index]
        if not one.net_minor:
            continue
        if not one.before_minor and one.net_minor == offered.net_minor:
            lines.append(offered.line)
            continue
        lines.append(
            Line(
                description=offered.line.description,
                details=_in(
                    tongue, f"Avancement : {tongue.percent(one.progress)}", f"Progress: {tongue.percent(one.progress)}"
                ),
                quantity=Decimal(1 if one.net_minor > 0 else -1),
                unit=_UNIT,
                unit_price=to_major(abs(one.net_minor)),
                vat=offered.line.vat,
                product_id=offered.line.product_id,
                kind=offered.line.kind,
            )
        )
    return tuple(lines)


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1].rstrip()}…"


def rest_content(quote: Quote, invoices: Mapping[str, Invoice]) -> Billed:
    """What remains: the whole quote, with one negative line for each earlier invoice and rate.

    Raises: QuotePartOpen, QuoteAlreadyInvoiced.
    """
    left = _billable(quote, invoices)
    earlier = [(part, invoices[part.invoice_id]) for part in quote.parts]
    deducted: list[Line] = []
    preceding: list[PrecedingDocument] = []
    for part, invoice in earlier:
        if not isinstance(invoice, IssuedInvoice):
            raise QuotePartOpen
        lines = _deductions(part, invoice)
        if lines:
            deducted += lines
            document = invoice.document
            preceding.append(
                PrecedingDocument(
                    invoice_id=document.invoice_id, number=document.number, issue_date=document.issue_date
                )
            )
    content = _bare(quote)
    rest = tuple(state.left_minor for state in line_states(quote, invoices))
    if not deducted:
        return Billed(content=content, kind=PartKind.FULL, groups=_groups(left), lines=rest)
    # A percentage would also be taken off the deductions: each rate keeps the very cents of the quote.
    groups = quote.totals.vat_breakdown
    content = replace(
        content,
        lines=(*content.lines, *deducted),
        discount=None,
        allowances=tuple(
            Adjustment(amount_minor=group.discount_minor, reason="Remise du devis", vat=group.vat)
            for group in groups
            if group.discount_minor
        ),
        charges=tuple(
            Adjustment(amount_minor=group.charges_minor, reason="Frais du devis", vat=group.vat)
            for group in groups
            if group.charges_minor
        ),
        preceding=tuple(preceding),
    )
    return Billed(content=content, kind=PartKind.FINAL, groups=_groups(left), lines=rest)


def _billable(quote: Quote, invoices: Mapping[str, Invoice]) -> Nets:
    """Raises: QuoteNotAccepted, QuoteAlreadyInvoiced, QuotePartOpen."""
    quote.require_accepted()
    left = remaining(quote, invoices)
    if not any(left.values()):
        raise QuoteAlreadyInvoiced
    if any(not isinstance(invoices.get(part.invoice_id), IssuedInvoice) for part in quote.parts):
        raise QuotePartOpen
    return left


def _nets(quote: Quote, share: Share, left: Nets) -> Nets:
    """What a share bills at each rate. Raises: FieldErrors."""
    if share.percent is not None:
        pointer, percent = "/percent", share.percent
        whole = {group.vat: group.taxable_minor for group in quote.totals.vat_breakdown}
        wanted = {vat: percentage_of(net_minor, percent) for vat, net_minor in whole.items()}
    elif share.progress is not None:
        pointer, progress = "/progress_percent", share.progress
        whole = {group.vat: group.taxable_minor for group in quote.totals.vat_breakdown}
        # What was invoiced before, whatever it was called, is part of the progress.
        wanted = {
            vat: _onward(percentage_of(net_minor, progress) - (net_minor - left.get(vat, 0)), net_minor)
            for vat, net_minor in whole.items()
        }
    else:
        assert share.net_minor is not None  # noqa: S101 - held by Share
        pointer = "/net_minor"
        wanted = dict(zip(left, apportion(share.net_minor, tuple(left.values())), strict=True))
    available = sum(left.values())
    if sum(wanted.values()) > available:
        left_fr = quote.content.particulars.tongue.money(available)
        said = f"Il reste {left_fr} HT à facturer.", f"{left_fr} without VAT is left to invoice."
        raise FieldErrors((FieldError(pointer, *said),))
    nets = {vat: _nearest(wanted[vat], left[vat], vat) for vat in left}
    if not any(nets.values()):
        raise FieldErrors((FieldError(pointer, "Cette part est vide.", "This share is empty."),))
    return nets


def _onward(net_minor: int, whole_minor: int) -> int:
    """What a progress bills, never the other way: a rate at which the quote takes something off has the other sign."""
    return max(net_minor, 0) if whole_minor > 0 else min(net_minor, 0)


def _nearest(wanted: int, left: int, vat: VatTreatment) -> int:
    """As below, within what is left; of a rate at which the quote takes something off, its mirror image."""
    if left < 0:
        return -_nearest(-wanted, -left, vat)
    return _without_a_lost_cent(min(wanted, left), left, vat)


def _without_a_lost_cent(wanted: int, left: int, vat: VatTreatment, *, most: int | None = None) -> int:
    """The net nearest to the one wanted whose VAT and that of the rest make the VAT of both together."""
    highest = left if most is None else most
    for offset in range(left + 1):
        for net in (wanted - offset, wanted + offset):
            if 0 <= net <= highest and _vat(net, vat) + _vat(left - net, vat) == _vat(left, vat):
                return net
    return left


def _deductions(part: QuotePart, invoice: IssuedInvoice) -> list[Line]:
    """One line per rate with a positive price (BR-27), less what was credited since; what was billed counts back."""
    document, credited = invoice.document, _credited(invoice)
    name, english = ("Acompte", "Deposit") if part.kind is PartKind.DEPOSIT else ("Facture", "Invoice")
    tongue = document.particulars.tongue
    named = _in(
        tongue,
        f"{name} n° {document.number} du {format_french(document.issue_date)}",
        f"{english} {document.number} of {tongue.short_date(document.issue_date)}",
    )
    kinds = {item.line.vat: item.line.kind for item in document.totals.lines}
    billed = {group.vat: group.net_minor - credited.get(group.vat, 0) for group in part.groups}
    return [
        Line(
            description=named,
            quantity=Decimal(-1 if net_minor > 0 else 1),
            unit=_UNIT,
            unit_price=to_major(abs(net_minor)),
            vat=vat,
            kind=kinds.get(vat, document.totals.lines[0].line.kind),
        )
        for vat, net_minor in billed.items()
        if net_minor
    ]


def _credited(invoice: Invoice | None) -> Nets:
    if not isinstance(invoice, IssuedInvoice):
        return {}
    return {group.vat: group.net_minor for group in invoice.ledger.credited_groups}


def _bare(quote: Quote) -> InvoiceContent:
    # While an earlier part is a draft nothing else is billed: each of those that are there was issued.
    before = quote.parts[0].invoice_id if quote.parts else None
    return replace(quote.content, due_date=None, quote_id=quote.quote_id, continues=before)


def _groups(nets: Nets) -> tuple[PartGroup, ...]:
    return tuple(PartGroup(vat=vat, net_minor=net_minor) for vat, net_minor in nets.items() if net_minor)


def _vat(net_minor: int, vat: VatTreatment) -> int:
    return percentage_of(net_minor, vat.rate) if vat.category is VatCategory.STANDARD else 0


def _kind(quote: Quote, vat: VatTreatment) -> ProductKind:
    kinds = {computed.line.kind for computed in quote.totals.lines if computed.line.vat == vat}
    return ProductKind.GOODS if kinds == {ProductKind.GOODS} else ProductKind.SERVICE


def _label(quote: Quote, share: Share, kind: PartKind) -> str:
    tongue, number, situation = quote.content.particulars.tongue, quote.number, _next_situation(quote)
    if share.progress is not None:
        reached = tongue.percent(share.progress)
        return _in(
            tongue,
            f"Situation n° {situation} : avancement {reached} du devis {number}",
            f"Progress invoice no. {situation}: {reached} of quote {number}",
        )
    percent = tongue.percent(share.percent) if share.percent is not None else ""
    if kind is PartKind.DEPOSIT:
        return _in(
            tongue,
            f"Acompte {f'de {percent} ' if percent else ''}sur devis {number}",
            f"Deposit {f'of {percent} ' if percent else ''}on quote {number}",
        )
    return _in(
        tongue,
        f"Situation n° {situation} : {percent or 'part'} du devis {number}",
        f"Progress invoice no. {situation}: {percent or 'part'} of quote {number}",
    )


def _in(tongue: Tongue, french: str, english: str) -> str:
    """What a line of ours is called, in the languages of its document."""
    return " / ".join(tongue.choose(french, english))


def _next_situation(quote: Quote) -> int:
    return 1 + sum(part.kind is PartKind.PART for part in quote.parts)

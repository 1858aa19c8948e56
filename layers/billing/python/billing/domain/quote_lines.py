"""What was invoiced of each line of a quote, and what a cumulative progress per line bills of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from billing.domain.errors import FieldError, FieldErrors
from billing.domain.invoice import DraftInvoice, Invoice, IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.money import percentage_of
from billing.domain.quote import PartKind, Quote, QuotePart
from billing.domain.situation import Situation, SituationLine, spread, worths
from billing.domain.typography import format_percent
from billing.domain.vat import VatTreatment

_WHOLE = Decimal(100)
_NEARLY_WHOLE, _NEARLY_NOTHING = Decimal("99.99"), Decimal("0.01")
_HELD_BACK = 25  # cents that a line may wait for because of its VAT: at 2.1 % it gains a cent every 48


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShare:
    """All the work done so far of one line, in percent, by its index from 0."""

    index: int
    progress: Decimal = _WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """Where a line of a quote stands, in cents without VAT: work invoiced, deposits and what is left make its worth.

    ``deposit_minor`` was invoiced ahead of the work: what an invoice of the work takes off is work from then on.
    ``stated`` is the progress that was last stated by an invoice.
    """

    vat: VatTreatment
    worth_minor: int
    billed_minor: int = 0
    deposit_minor: int = 0
    stated: Decimal | None = None
    credited: bool = False

    @property
    def left_minor(self) -> int:
        return self.worth_minor - self.billed_minor

    @property
    def work_minor(self) -> int:
        return self.billed_minor - self.deposit_minor

    @property
    def reached(self) -> Decimal | None:
        """What was stated, as long as it is what was invoiced but for cents held back; else the work in percent."""
        if not self.worth_minor:
            return None
        stated, cents = self.stated, min(_HELD_BACK, abs(self.worth_minor) // 100)
        if stated is not None and abs(percentage_of(self.worth_minor, stated) - self.work_minor) <= cents:
            return stated
        exact = Decimal(10_000 * self.work_minor) / Decimal(self.worth_minor)
        return exact.quantize(Decimal(1), ROUND_HALF_UP) / _WHOLE

    @property
    def progress(self) -> Decimal | None:
        """The work invoiced, in percent: 100 when all of it is, 0 when none is, and only then.

        None for a line that is worth nothing.
        """
        if self.reached is None or not self.work_minor:
            return None if self.reached is None else Decimal(0)
        if self.work_minor == self.worth_minor:
            return _WHOLE
        return max(_NEARLY_NOTHING, min(self.reached, _NEARLY_WHOLE))

    @property
    def floor(self) -> Decimal:
        """No progress below it is accepted; what was credited is no longer held to have been done."""
        if self.stated is None or self.progress is None:
            return Decimal(0)
        if not self.credited:
            return min(self.stated, self.progress)
        return min(self.stated, Decimal(10_000 * self.work_minor // self.worth_minor) / _WHOLE)

    def due_at(self, progress: Decimal) -> int:
        """What a progress bills beyond what was billed before, under whatever name; never the other way."""
        missing = percentage_of(self.worth_minor, progress) - self.billed_minor
        return max(missing, 0) if self.worth_minor > 0 else min(missing, 0)


def line_states(quote: Quote, invoices: Mapping[str, Invoice]) -> tuple[LineState, ...]:
    """Each line of the quote after all that was invoiced and credited of it."""
    states = tuple(
        LineState(vat=item.line.vat, worth_minor=worth)
        for item, worth in zip(quote.totals.lines, worths(quote.totals), strict=True)
    )
    for part in quote.parts:
        states = _after(quote, part, states, invoices.get(part.invoice_id))
    return states


def _after(
    quote: Quote, part: QuotePart, states: tuple[LineState, ...], invoice: Invoice | None
) -> tuple[LineState, ...]:
    """The lines after one more invoice, less what was credited of it since."""
    left = tuple(state.left_minor for state in states)
    kept = nets = part.lines or spread_over_lines(quote, {group.vat: group.net_minor for group in part.groups}, left)
    if isinstance(invoice, IssuedInvoice) and invoice.ledger.credited_groups:
        kept = _kept(quote, part, nets, invoice)
    situation = situation_of(invoice)
    stated = {place: one.progress for place, one in _stated(situation, nets, states).items() if one.progress}
    taken_back = isinstance(invoice, IssuedInvoice) and invoice.ledger.status is InvoiceStatus.CANCELLED
    deposits = deposits_after(part.kind, nets, states, situation)
    return tuple(
        replace(
            state,
            billed_minor=state.billed_minor + kept[place],
            # An invoice of the work that was taken back whole leaves the deposit that it had used up.
            deposit_minor=state.deposit_minor + kept[place]
            if part.kind is PartKind.DEPOSIT
            else state.deposit_minor
            if taken_back or (nets[place] and not kept[place])
            else deposits[place],
            stated=stated.get(place, state.stated),
            credited=state.credited or kept[place] != nets[place],
        )
        for place, state in enumerate(states)
    )


def deposits_after(
    kind: PartKind, nets: tuple[int, ...], states: tuple[LineState, ...], situation: Situation | None
) -> tuple[int, ...]:
    """What an invoice of the work leaves of the deposits on each line: a progress takes them off before it bills."""
    left = [state.left_minor - net for state, net in zip(states, nets, strict=True)]
    found = [state.deposit_minor for state in states]
    stated = _stated(situation, nets, states)
    whole = next((one.progress for one in situation.lines if one.index is None), None) if situation else None
    for vat in {state.vat for state in states}:
        places = [place for place, state in enumerate(states) if state.vat == vat]
        bills = any(nets[place] for place in places)
        last = bills and not sum(left[place] for place in places)
        if kind is PartKind.FINAL or not any(left) or last or (whole is not None and bills):
            rest = 0
        elif whole is not None:
            worth, billed = (
                sum(getattr(states[place], name) for place in places) for name in ("worth_minor", "billed_minor")
            )
            rest = _at_most(billed - percentage_of(worth, whole), sum(found[place] for place in places))
        else:
            for place in (place for place in places if place in stated):
                ahead = states[place].billed_minor - percentage_of(states[place].worth_minor, stated[place].progress)
                found[place] = 0 if nets[place] else _at_most(ahead, found[place])
            continue
        for place, amount in zip(places, spread(rest, tuple(found[place] for place in places)), strict=True):
            found[place] = amount
    return tuple(found)


def _at_most(amount_minor: int, whole_minor: int) -> int:
    """An amount of the whole's sign, not beyond it."""
    return max(0, min(amount_minor, whole_minor)) if whole_minor > 0 else min(0, max(amount_minor, whole_minor))


def _stated(
    situation: Situation | None, nets: tuple[int, ...], states: tuple[LineState, ...]
) -> dict[int, SituationLine]:
    """The lines of which a situation says something new; the others stay where they were."""
    return {
        one.index: one
        for one in (situation.lines if situation else ())
        if one.index is not None and (nets[one.index] or one.progress != states[one.index].reached)
    }


def situation_of(invoice: Invoice | None) -> Situation | None:
    """What an invoice states; one that was taken back in full states nothing any more."""
    if isinstance(invoice, DraftInvoice):
        return invoice.content.situation
    if invoice is None or invoice.ledger.status is InvoiceStatus.CANCELLED:
        return None
    return invoice.document.situation


def spread_over_lines(quote: Quote, nets: Mapping[VatTreatment, int], left: tuple[int, ...]) -> tuple[int, ...]:
    """What a share of each rate takes of each line, by what is left of them."""
    taken = [0] * len(left)
    for vat, net_minor in nets.items():
        places = _places(quote, vat)
        weights = tuple(left[place] for place in places)
        for place, amount in zip(places, spread(net_minor, weights), strict=True):
            taken[place] = amount
    return tuple(taken)


def progress_nets(
    quote: Quote, shares: tuple[LineShare, ...], states: tuple[LineState, ...], left: Mapping[VatTreatment, int]
) -> tuple[int, ...]:
    """What each line bills when these have reached their progress; a cent that was held back earlier is caught up.

    Raises: FieldErrors (an unknown line, a progress that goes back, more than what remains at a rate).
    """
    errors = tuple(_share_errors(shares, states, left))
    if errors:
        raise FieldErrors(errors)
    wanted = {share.index: states[share.index].due_at(share.progress) for share in shares}
    if not any(state.credited for state in states):
        for place, state in enumerate(states):
            if place not in wanted and state.stated is not None:
                wanted[place] = state.due_at(state.stated)
    nets = tuple(wanted.get(place, 0) for place in range(len(states)))
    too_much = tuple(_rate_errors(quote, shares, states, nets, left))
    if too_much:
        raise FieldErrors(too_much)
    return nets


def adjusted(nets: tuple[int, ...], states: tuple[LineState, ...], vat: VatTreatment, by_minor: int) -> tuple[int, ...]:
    """The nets with some cents more or less at a rate; no line bills more than what is left of it."""
    moved = list(nets)
    places = [place for place, state in enumerate(states) if state.vat == vat and nets[place] > 0]
    for place in sorted(places, key=lambda place: -nets[place]):
        low, high = -moved[place], states[place].left_minor - moved[place]
        step = max(low, min(high, by_minor))
        moved[place] += step
        by_minor -= step
    if by_minor:
        raise ValueError("no line has room for these cents")
    return tuple(moved)


def room(nets: tuple[int, ...], states: tuple[LineState, ...], vat: VatTreatment) -> int:
    """The most that the lines billed at a rate can take together."""
    return sum(
        state.left_minor if net > 0 else net for net, state in zip(nets, states, strict=True) if state.vat == vat
    )


def _kept(quote: Quote, part: QuotePart, nets: tuple[int, ...], invoice: IssuedInvoice) -> tuple[int, ...]:
    """What a part still bills of each line after credit notes: those by line take their line, others go by weight."""
    kept = list(nets)
    named: Counter[VatTreatment] = Counter()
    places = _invoiced_places(quote, part, nets, invoice)
    for credited in invoice.ledger.credited_lines:
        place = places.get(credited.index)
        if place is not None and kept[place] > 0:
            taken = min(credited.net_minor, kept[place])
            kept[place] -= taken
            named[quote.totals.lines[place].line.vat] += taken
    for group in invoice.ledger.credited_groups:
        rest = group.net_minor - named[group.vat]
        at_rate = _places(quote, group.vat)
        weights = tuple(kept[place] for place in at_rate)
        for place, amount in zip(at_rate, spread(rest, weights), strict=True):
            kept[place] -= amount
    return tuple(kept)


def _invoiced_places(quote: Quote, part: QuotePart, nets: tuple[int, ...], invoice: IssuedInvoice) -> dict[int, int]:
    """Which line of the quote a line of the invoice bills, where there is one for each; by index."""
    if part.kind is PartKind.FULL:
        billed = list(range(len(nets)))
    elif invoice.document.situation is not None:
        billed = [place for place, net in enumerate(nets) if net]
    else:
        return {}
    lines = invoice.totals.lines
    if [item.line.vat for item in lines] != [quote.totals.lines[place].line.vat for place in billed]:
        return {}  # the draft was edited into other lines
    return dict(enumerate(billed))


def _places(quote: Quote, vat: VatTreatment) -> list[int]:
    return [place for place, item in enumerate(quote.totals.lines) if item.line.vat == vat]


def _share_errors(
    shares: tuple[LineShare, ...], states: tuple[LineState, ...], left: Mapping[VatTreatment, int]
) -> Iterator[FieldError]:
    count, seen = len(states), set()
    for place, share in enumerate(shares):
        pointer = f"/lines/{place}/index"
        if share.index >= count:
            yield FieldError(pointer, f"Le devis a {count} ligne(s).", f"The quote has {count} line(s).")
            continue
        state = states[share.index]
        if share.index in seen:
            yield FieldError(pointer, "Ligne nommée deux fois.", "The line is named twice.")
        elif not state.worth_minor or left.get(state.vat, 0) < 0:
            yield FieldError(pointer, "Cette ligne ne se facture pas seule.", "This line cannot be billed by itself.")
        elif share.progress < state.floor:
            reached = format_percent(state.floor)
            yield FieldError(
                f"/lines/{place}/progress_percent",
                f"L'avancement ne recule pas : {reached} de cette ligne est déjà facturé.",
                f"A progress does not go back: {reached} of this line was invoiced.",
            )
        seen.add(share.index)


def _rate_errors(
    quote: Quote,
    shares: tuple[LineShare, ...],
    states: tuple[LineState, ...],
    nets: tuple[int, ...],
    left: Mapping[VatTreatment, int],
) -> Iterator[FieldError]:
    """Lines that take something off are billed together with what they are taken from."""
    tongue = quote.content.particulars.tongue
    for vat, available in left.items():
        asked = sum(net for net, state in zip(nets, states, strict=True) if state.vat == vat)
        if 0 <= asked <= available:
            continue
        place = next((place for place, share in enumerate(shares) if states[share.index].vat == vat), 0)
        yield FieldError(
            f"/lines/{place}/progress_percent",
            f"Il reste {tongue.money(available)} HT à facturer au taux de cette ligne.",
            f"{tongue.money(available)} without VAT is left to invoice at the rate of this line.",
        )

"""The life of an invoice: draft, issue, send, payment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from billing.domain.access import Caller, Permission
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import (
    Busy,
    CompanyNotDescribed,
    DeliveryInProgress,
    FieldError,
    FieldErrors,
    InvoiceAlreadyIssued,
    InvoiceNotIssued,
    NotDuplicable,
    PdfNotReady,
    RecipientMissing,
    StaleVersion,
    UnknownReference,
)
from billing.domain.events import Event, EventType
from billing.domain.invoice import (
    DocumentType,
    DraftInvoice,
    Invoice,
    InvoiceContent,
    InvoiceDocument,
    IssuedInvoice,
    check_content,
    freeze,
)
from billing.domain.ledger import EntryKind, LedgerEntry, PaymentMethod
from billing.domain.numbering import SeriesState, allocate
from billing.domain.particulars import NONE as NO_PARTICULARS
from billing.domain.particulars import Particulars
from billing.domain.parties import Company, Customer, Product, ProductKind
from billing.domain.payment_terms import PaymentTerms
from billing.domain.totals import Adjustment, Charge, Discount, Line, Totals
from billing.domain.vat import FRANCHISE_TREATMENT, VatRegime, VatTreatment
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import Customers, InvoiceQuery, Invoices, InvoiceSummary, SeriesMoved
from billing.usecases.contention import BUDGET_SECONDS, judged_anew

CROWD_PAUSE_SECONDS = 0.08  # about sixteen issuers, each holding the series for five milliseconds
DEFAULT_UNIT = "C62"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """A line as a person gives it: what is missing comes from the catalogue, then from defaults."""

    product_id: str | None = None
    description: str | None = None
    details: str | None = None
    quantity: Decimal
    unit: str | None = None
    unit_price: Decimal | None = None
    vat: VatTreatment | None = None
    discount: Discount | None = None
    kind: ProductKind | None = None
    charge: Charge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    customer_id: str
    lines: tuple[LineInput, ...]
    discount: Discount | None = None
    supply_date: date | None = None
    due_date: date | None = None
    payment_terms_days: int | None = None
    purchase_order: str = ""
    notes: str = ""
    allowances: tuple[Adjustment, ...] = ()
    charges: tuple[Adjustment, ...] = ()
    payment_terms: PaymentTerms | None = None
    particulars: Particulars = NO_PARTICULARS
    private_notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInput:
    amount_minor: int
    method: PaymentMethod
    paid_on: date | None = None
    reference: str = ""


def create_invoice(
    caller: Caller, wanted: DraftInput, *, once: IdempotentRequest, invoices: Invoices, clock: Clock, ids: Ids
) -> DraftInvoice:
    """A draft, without a number. Raises: CompanyNotDescribed, UnknownReference, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    content, totals, customer_name = _compose(caller, wanted, invoices=invoices, once=once)
    now = clock.now()
    draft = DraftInvoice(
        tenant_id=caller.tenant_id,
        invoice_id=ids.new("inv"),
        version=1,
        content=content,
        customer_name=customer_name,
        totals=totals,
        created_at=now,
        updated_at=now,
    )
    invoices.create(caller, draft, event=_event(EventType.INVOICE_CREATED, caller, draft, ids), once=once)
    return draft


def duplicate_invoice(
    caller: Caller, invoice_id: str, *, once: IdempotentRequest, invoices: Invoices, clock: Clock, ids: Ids
) -> DraftInvoice:
    """A new draft with the lines, terms and texts of an invoice; dates, and what belongs to one sale, stay behind.

    Raises: NotFound, NotDuplicable, CompanyNotDescribed, UnknownReference, FieldErrors.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    copied = _copied(invoices.read(caller, invoice_id, once=once))
    held = frozenset(line.product_id for line in copied.lines if line.product_id)
    content, totals, customer_name = _compose(caller, copied, invoices=invoices, once=once, held=held)
    now = clock.now()
    draft = DraftInvoice(
        tenant_id=caller.tenant_id,
        invoice_id=ids.new("inv"),
        version=1,
        content=content,
        customer_name=customer_name,
        totals=totals,
        created_at=now,
        updated_at=now,
    )
    event = _event(EventType.INVOICE_CREATED, caller, draft, ids)
    event = replace(event, data={**event.data, "duplicate_of": invoice_id})
    invoices.create(caller, draft, event=event, once=once)
    return draft


def preview_invoice(caller: Caller, wanted: DraftInput, *, invoices: Invoices) -> Totals:
    """The totals a draft would have; nothing is saved."""
    caller.require(Permission.READ)
    return _compose(caller, wanted, invoices=invoices)[1]


def read_invoice(caller: Caller, invoice_id: str, *, invoices: Invoices) -> Invoice:
    """Raises: NotFound."""
    return invoices.read(caller, invoice_id)


def list_invoices(
    caller: Caller, query: InvoiceQuery, page: PageRequest, *, invoices: Invoices
) -> Page[InvoiceSummary]:
    return invoices.list(caller, query, page)


def edit_invoice(
    caller: Caller,
    invoice_id: str,
    wanted: DraftInput,
    *,
    expected_version: int,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """Raises: NotFound, InvoiceAlreadyIssued, StaleVersion, CompanyNotDescribed, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    current = _draft(invoices.read(caller, invoice_id), expected_version)
    held = frozenset(line.product_id for line in current.content.lines if line.product_id)
    content, totals, customer_name = _compose(caller, wanted, invoices=invoices, held=held)
    draft = current.edited(content, customer_name=customer_name, totals=totals, at=clock.now())
    event = _event(EventType.INVOICE_EDITED, caller, draft, ids)
    invoices.save_draft(caller, draft, previous=current, event=event)
    return draft


def delete_invoice(
    caller: Caller, invoice_id: str, *, expected_version: int, invoices: Invoices, clock: Clock, ids: Ids
) -> None:
    """A draft goes; an issued invoice never does. Raises: NotFound, InvoiceAlreadyIssued, StaleVersion."""
    caller.require(Permission.WRITE_DOCUMENTS)
    event = Event(
        event_id=ids.new("evt"),
        event_type=EventType.INVOICE_DELETED,
        occurred_at=clock.now(),
        actor=caller.user_id,
        data={"invoice_id": invoice_id, "version": expected_version},
    )
    invoices.delete_draft(caller, invoice_id, expected_version=expected_version, event=event)


def issue_invoice(
    caller: Caller,
    invoice_id: str,
    *,
    expected_version: int,
    issue_date: date | None,
    send: bool,
    correlation_id: str,
    once: IdempotentRequest,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> IssuedInvoice:
    """Number a draft and freeze it, in one transaction that also asks for its PDF and, with ``send``, its mail.

    Under contention the number is taken again, at once and then after jittered pauses, until the budget ends.

    Raises: NotFound, InvoiceAlreadyIssued, StaleVersion, CompanyNotDescribed, FieldErrors,
        IssueDateTooEarly, RecipientMissing, NumberTaken, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    started = clock.monotonic()
    _refuse_future("/issue_date", issue_date, clock)

    def load() -> tuple[DraftInvoice, Company, Customer, SeriesState]:
        context = invoices.load_for_issue(caller, invoice_id, once=once)
        draft = _draft(context.invoice, expected_version)
        company = _described(context.company)
        customer = customers.read(caller, draft.content.customer_id)
        if send and customer.description.email is None:
            raise RecipientMissing
        return draft, company, customer, context.series

    draft, company, customer, series = load()
    crowded = False
    while True:
        now = clock.now()
        allocation = allocate(
            series,
            company.description.invoice_number_pattern,
            issue_date or _default_issue_date(series, clock),
        )
        issued = freeze(draft, company=company, customer=customer, allocation=allocation, issued_at=now)
        issued, delivery = with_delivery(
            issued,
            send=send,
            recipient=customer.description.email,
            correlation_id=correlation_id,
            clock=clock,
        )
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.INVOICE_ISSUED,
            occurred_at=now,
            actor=caller.user_id,
            data={
                "invoice_id": invoice_id,
                "number": allocation.number,
                "total_minor": issued.totals.total_minor,
                "send": int(send),
            },
        )
        try:
            invoices.issue(
                caller,
                issued,
                draft=draft,
                allocation=allocation,
                event=event,
                delivery=delivery,
                once=once,
            )
        except SeriesMoved as moved:
            if clock.monotonic() - started > BUDGET_SECONDS:
                raise Busy from moved
            series = moved.state
            if crowded:
                # Many issue at once: spread them out, then look again, for all that was read is old by now.
                clock.sleep(CROWD_PAUSE_SECONDS * ids.jitter())
                draft, company, customer, series = load()
            crowded = True
        else:
            return issued


def send_invoice(
    caller: Caller,
    invoice_id: str,
    *,
    recipient: str | None,
    correlation_id: str,
    once: IdempotentRequest,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> IssuedInvoice:
    """Open the next delivery attempt, to the given address or the customer's current one.

    Raises: NotFound, InvoiceNotIssued, DeliveryInProgress, RecipientMissing, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> IssuedInvoice:
        invoice = _issued(invoices.read(caller, invoice_id, once=once))
        if invoice.delivery.is_mailing:
            raise DeliveryInProgress
        to = recipient or customers.read(caller, invoice.document.customer_id).description.email
        if to is None:
            raise RecipientMissing
        requested, delivery = with_delivery(
            invoice, send=True, recipient=to, correlation_id=correlation_id, clock=clock
        )
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.DELIVERY_REQUESTED,
            occurred_at=delivery.requested_at,
            actor=caller.user_id,
            data={"invoice_id": invoice_id, "attempt": delivery.attempt},
        )
        invoices.request_delivery(caller, requested, delivery=delivery, event=event, once=once)
        return requested

    return judged_anew(attempt, clock=clock, ids=ids)


def record_invoice_payment(
    caller: Caller,
    invoice_id: str,
    payment: PaymentInput,
    *,
    once: IdempotentRequest,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> IssuedInvoice:
    """Record a payment received outside ZenBilling; two at once never pay more than the balance.

    Raises: NotFound, InvoiceNotIssued, PaymentExceedsBalance, FieldErrors, Busy.
    """
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_future("/paid_on", payment.paid_on, clock)

    def attempt() -> IssuedInvoice:
        invoice = _issued(invoices.read(caller, invoice_id, once=once))
        now = clock.now()
        entry = LedgerEntry(
            entry_id=ids.new("pay"),
            rank=invoice.ledger.entry_count + 1,
            kind=EntryKind.PAYMENT,
            amount_minor=payment.amount_minor,
            entry_date=payment.paid_on or clock.today(),
            method=payment.method,
            reference=payment.reference,
            recorded_at=now,
            recorded_by=caller.user_id,
        )
        paid = invoice.with_entry(entry)
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.PAYMENT_RECORDED,
            occurred_at=now,
            actor=caller.user_id,
            data={
                "invoice_id": invoice_id,
                "entry_id": entry.entry_id,
                "amount_minor": entry.amount_minor,
                "method": payment.method.value,
                "balance_minor": paid.ledger.balance_minor,
            },
        )
        invoices.record_entry(caller, paid, entry=entry, event=event, once=once)
        return paid

    return judged_anew(attempt, clock=clock, ids=ids)


def read_invoice_timeline(caller: Caller, invoice_id: str, page: PageRequest, *, invoices: Invoices) -> Page[Event]:
    """What happened to an invoice, oldest first. Raises: NotFound."""
    return invoices.timeline(caller, invoice_id, page)


def download_invoice(
    caller: Caller, invoice_id: str, *, invoices: Invoices, documents: Documents, clock: Clock
) -> DownloadLink:
    """A short-lived address of the stored PDF. Raises: NotFound, InvoiceNotIssued, PdfNotReady."""
    invoice = _issued(invoices.read(caller, invoice_id))
    if invoice.delivery.pdf is None:
        raise PdfNotReady
    return documents.link(invoice.delivery.pdf.key, file_name=f"{invoice.document.number}.pdf", now=clock.now())


def _compose(
    caller: Caller,
    wanted: DraftInput,
    *,
    invoices: Invoices,
    once: IdempotentRequest | None = None,
    held: frozenset[str] = frozenset(),
) -> tuple[InvoiceContent, Totals, str]:
    """What a draft says, completed from the catalogue; archived products only where the draft ``held`` them."""
    product_ids = tuple(dict.fromkeys(line.product_id for line in wanted.lines if line.product_id))
    context = invoices.draft_context(caller, wanted.customer_id, product_ids, once=once)
    company = _described(context.company)
    catalogue = {product.product_id: product for product in context.products}
    unknown = tuple(
        FieldError(f"/lines/{index}/product_id", "Produit inconnu.", "Unknown product.")
        for index, line in enumerate(wanted.lines)
        if line.product_id and line.product_id not in catalogue
    )
    if unknown:
        raise UnknownReference(unknown)
    errors = [
        FieldError(f"/lines/{index}/product_id", "Ce produit est archivé.", "This product is archived.")
        for index, line in enumerate(wanted.lines)
        if line.product_id and catalogue[line.product_id].archived and line.product_id not in held
    ]
    lines: list[Line] = []
    for index, line in enumerate(wanted.lines):
        product = catalogue.get(line.product_id) if line.product_id else None
        lines += _line(f"/lines/{index}", line, product, company.description.vat_regime, errors)
    if errors:
        raise FieldErrors(tuple(errors))
    content = InvoiceContent(
        customer_id=wanted.customer_id,
        lines=tuple(lines),
        discount=wanted.discount,
        supply_date=wanted.supply_date,
        due_date=wanted.due_date,
        payment_terms_days=wanted.payment_terms_days,
        purchase_order=wanted.purchase_order,
        notes=wanted.notes,
        allowances=wanted.allowances,
        charges=wanted.charges,
        payment_terms=wanted.payment_terms,
        particulars=wanted.particulars,
        private_notes=wanted.private_notes,
    )
    _refuse_other_siret(wanted.particulars, context.customer)
    totals = check_content(content, company.description.vat_regime)
    return content, totals, context.customer.description.name


def _copied(invoice: Invoice) -> DraftInput:
    """What a duplicate takes over. Raises: NotDuplicable."""
    source: InvoiceContent | InvoiceDocument
    if isinstance(invoice, IssuedInvoice):
        source, discount = invoice.document, invoice.document.document_discount
        lines, private_notes = tuple(each.line for each in invoice.totals.lines), invoice.private_notes
    else:
        source, discount = invoice.content, invoice.content.discount
        lines, private_notes = invoice.content.lines, invoice.content.private_notes
    if source.document_type is not DocumentType.INVOICE or source.preceding:
        raise NotDuplicable
    return DraftInput(
        customer_id=source.customer_id,
        lines=tuple(
            LineInput(
                product_id=line.product_id,
                description=line.description,
                details=line.details,
                quantity=line.quantity,
                unit=line.unit,
                unit_price=line.unit_price,
                vat=line.vat,
                discount=line.discount,
                kind=line.kind,
                charge=line.charge,
            )
            for line in lines
        ),
        discount=discount,
        notes=source.notes,
        allowances=source.allowances,
        charges=source.charges,
        payment_terms=source.payment_terms,
        particulars=replace(source.particulars, period=None),
        private_notes=private_notes,
    )


def _refuse_other_siret(particulars: Particulars, customer: Customer) -> None:
    """The establishment that is billed belongs to the customer."""
    siret, siren = particulars.buyer_siret, customer.description.siren
    if siret is not None and siren is not None and not siret.startswith(siren):
        raise FieldErrors(
            (
                FieldError(
                    "/buyer_siret",
                    "Ce SIRET n'est pas celui d'un établissement du client.",
                    "This SIRET is no establishment of the customer.",
                ),
            )
        )


def _line(
    pointer: str, line: LineInput, product: Product | None, regime: VatRegime, errors: list[FieldError]
) -> list[Line]:
    """The complete line, or nothing and its errors."""
    known = product.description if product else None
    description = line.description or (known.name if known else None)
    unit_price = line.unit_price if line.unit_price is not None else (known.unit_price if known else None)
    vat = line.vat or _default_vat(product, regime)
    if description is None:
        errors.append(FieldError(f"{pointer}/description", "Désignation obligatoire.", "A description is required."))
    if unit_price is None:
        errors.append(FieldError(f"{pointer}/unit_price", "Prix unitaire obligatoire.", "A unit price is required."))
    if vat is None:
        errors.append(FieldError(f"{pointer}/vat_rate", "Taux de TVA obligatoire.", "A VAT rate is required."))
    if description is None or unit_price is None or vat is None:
        return []
    return [
        Line(
            description=description,
            details=line.details if line.details is not None else (known.description if known else ""),
            quantity=line.quantity,
            unit=line.unit or (known.unit if known else DEFAULT_UNIT),
            unit_price=unit_price,
            vat=vat,
            discount=line.discount,
            product_id=line.product_id,
            kind=line.kind or (known.kind if known else ProductKind.SERVICE),
            charge=line.charge,
        )
    ]


def _default_vat(product: Product | None, regime: VatRegime) -> VatTreatment | None:
    if regime is VatRegime.FRANCHISE:
        return FRANCHISE_TREATMENT
    return product.description.vat if product else None


def with_delivery(
    invoice: IssuedInvoice, *, send: bool, recipient: str | None, correlation_id: str, clock: Clock
) -> tuple[IssuedInvoice, DeliveryRequest]:
    now = clock.now()
    requested = invoice.with_delivery(invoice.delivery.requested(send=send), now)
    delivery = DeliveryRequest(
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.invoice_id,
        attempt=requested.delivery.attempt,
        send=send,
        recipient=recipient if send else None,
        requested_at=now,
        correlation_id=correlation_id,
    )
    return requested, delivery


def _default_issue_date(series: SeriesState, clock: Clock) -> date:
    # At midnight another request may already have issued with the new date: the series' date wins.
    today = clock.today()
    return max(today, series.last_date) if series.last_date else today


def _refuse_future(pointer: str, day: date | None, clock: Clock) -> None:
    if day is not None and day > clock.today():
        raise FieldErrors((FieldError(pointer, "Cette date est dans le futur.", "This date is in the future."),))


def _described(company: Company | None) -> Company:
    if company is None:
        raise CompanyNotDescribed
    return company


def _draft(invoice: Invoice, expected_version: int) -> DraftInvoice:
    if isinstance(invoice, IssuedInvoice):
        raise InvoiceAlreadyIssued(
            f"Elle porte le numéro {invoice.document.number}.", f"Its number is {invoice.document.number}."
        )
    if invoice.version != expected_version:
        raise StaleVersion
    return invoice


def _issued(invoice: Invoice) -> IssuedInvoice:
    if isinstance(invoice, DraftInvoice):
        raise InvoiceNotIssued
    return invoice


def _event(event_type: EventType, caller: Caller, draft: DraftInvoice, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=draft.updated_at,
        actor=caller.user_id,
        data={
            "invoice_id": draft.invoice_id,
            "version": draft.version,
            "total_minor": draft.totals.total_minor,
        },
    )

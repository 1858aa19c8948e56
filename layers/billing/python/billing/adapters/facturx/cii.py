"""A frozen document as EN 16931 XML in the syntax CII D22B, with what BR-FR asks for.

A string builder: elements in the order of the schema, nothing empty, every text escaped. Comments name the terms of
EN 16931 (BT, BG). The document was checked before it was issued; the validation of its XML comes after.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

from billing.domain.invoice import DocumentType, InvoiceDocument
from billing.domain.ledger import PaymentMethod
from billing.domain.mentions import NoteCode
from billing.domain.money import format_decimal
from billing.domain.parties import Address, CompanyDescription, CustomerDescription, CustomerKind
from billing.domain.tongue import FRENCH
from billing.domain.totals import Charge, ComputedAdjustment, ComputedLine, Discount, Totals, VatSubtotal
from billing.domain.units import UNITS
from billing.domain.vat import EXEMPTIONS, VatCategory, VatTreatment

EN16931: Final = "urn:cen.eu:en16931:2017"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"'
    ' xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"'
    ' xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"'
    ' xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">'
)
SIREN_SCHEME, SIRET_SCHEME, ADDRESS_SCHEME, MAIL_SCHEME = "0002", "0009", "0225", "EM"
_SEPA_TRANSFER = "58"
# UNTDID 4461 (BT-81). Without an account nothing more can be said of a transfer.
_MEANS = {
    PaymentMethod.TRANSFER: "1",
    PaymentMethod.CHEQUE: "20",
    PaymentMethod.CASH: "10",
    PaymentMethod.CARD: "48",
    PaymentMethod.DIRECT_DEBIT: "59",
}


def cii(document: InvoiceDocument) -> bytes:
    """The XML of a document, UTF-8. The same document gives the same bytes."""
    return "".join(_invoice(document)).encode()


def _invoice(document: InvoiceDocument) -> Iterator[str]:
    yield _HEAD
    yield from _context(document)
    yield "<rsm:SupplyChainTradeTransaction>"
    for rank, line in enumerate(document.totals.lines, start=1):
        yield from _line(rank, line)
    yield from _agreement(document)
    yield from _delivery(document)
    yield from _settlement(document)
    yield "</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"


def _context(document: InvoiceDocument) -> Iterator[str]:
    yield "<rsm:ExchangedDocumentContext>"
    if document.codes.process:  # BT-23
        yield (
            "<ram:BusinessProcessSpecifiedDocumentContextParameter>"
            f"{_text('ID', document.codes.process)}</ram:BusinessProcessSpecifiedDocumentContextParameter>"
        )
    yield (
        f"<ram:GuidelineSpecifiedDocumentContextParameter>{_text('ID', EN16931)}"  # BT-24
        "</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext><rsm:ExchangedDocument>"
        f"{_text('ID', document.number)}{_text('TypeCode', document.document_type.value)}"  # BT-1, BT-3
        f"<ram:IssueDateTime>{_day(document.issue_date)}</ram:IssueDateTime>"  # BT-2
    )
    for code, content in _notes(document):  # BG-1
        subject = _text("SubjectCode", code)
        yield f"<ram:IncludedNote>{_text('Content', content)}{subject}</ram:IncludedNote>"
    yield "</rsm:ExchangedDocument>"


def _notes(document: InvoiceDocument) -> Iterator[tuple[str, str]]:
    """Subject code (BT-21) and text (BT-22). The wording of an exemption goes with its VAT group."""
    for mention in document.mentions:
        if mention.code is not NoteCode.EXEMPTION:
            english = mention.english or mention.text
            yield mention.code.value, " / ".join(document.particulars.tongue.choose(mention.text, english))
    seller = document.seller
    if seller.share_capital_minor is not None:
        capital = FRENCH.money(seller.share_capital_minor)
        yield "REG", f"{seller.legal_form.value} au capital de {capital}"
    if seller.rcs_city is not None:
        yield "ABL", f"RCS {seller.rcs_city} {seller.siren}"
    if document.codes.billing:
        yield "BAR", document.codes.billing
    texts = (document.particulars.header_text, document.notes, document.particulars.footer_text, document.reason)
    for text in texts:
        if text:
            yield NoteCode.GENERAL.value, text


def _line(rank: int, computed: ComputedLine) -> Iterator[str]:
    """BG-25. The price is net of nothing: what is taken off or added stands beside it (BG-27, BG-28)."""
    line = computed.line
    yield (
        "<ram:IncludedSupplyChainTradeLineItem>"
        f"<ram:AssociatedDocumentLineDocument><ram:LineID>{rank}</ram:LineID></ram:AssociatedDocumentLineDocument>"
        f"<ram:SpecifiedTradeProduct>{_text('Name', line.description)}{_text('Description', line.details)}"
        "</ram:SpecifiedTradeProduct><ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice>"
        f"<ram:ChargeAmount>{_number(line.unit_price)}</ram:ChargeAmount></ram:NetPriceProductTradePrice>"
        "</ram:SpecifiedLineTradeAgreement><ram:SpecifiedLineTradeDelivery>"
        f'<ram:BilledQuantity unitCode="{_unit(line.unit)}">{_number(line.quantity)}</ram:BilledQuantity>'
        "</ram:SpecifiedLineTradeDelivery><ram:SpecifiedLineTradeSettlement>"
        f"<ram:ApplicableTradeTax>{_vat_of(line.vat)}</ram:ApplicableTradeTax>"
    )
    if line.discount and computed.discount_minor:
        yield _line_adjustment(computed, line.discount, computed.discount_minor)
    if line.charge and computed.charge_minor:
        yield _line_adjustment(computed, line.charge, computed.charge_minor)
    yield (
        "<ram:SpecifiedTradeSettlementLineMonetarySummation>"
        f"<ram:LineTotalAmount>{_money(computed.net_minor)}</ram:LineTotalAmount>"  # BT-131
        "</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>"
        "</ram:IncludedSupplyChainTradeLineItem>"
    )


def _line_adjustment(computed: ComputedLine, part: Discount | Charge, amount_minor: int) -> str:
    return (
        f"<ram:SpecifiedTradeAllowanceCharge>{_indicator(isinstance(part, Charge))}"
        f"{_share(part.percent, computed.gross_minor)}"
        f"<ram:ActualAmount>{_money(amount_minor)}</ram:ActualAmount>{_text('Reason', part.reason)}"
        "</ram:SpecifiedTradeAllowanceCharge>"
    )


def _agreement(document: InvoiceDocument) -> Iterator[str]:
    particulars = document.particulars
    outside = _is_outside_scope(document.totals)
    yield f"<ram:ApplicableHeaderTradeAgreement>{_text('BuyerReference', particulars.buyer_reference)}"  # BT-10
    yield from _seller(document.seller, outside=outside)
    yield from _buyer(document, outside=outside)
    if document.purchase_order:  # BT-13
        order = _text("IssuerAssignedID", document.purchase_order)
        yield f"<ram:BuyerOrderReferencedDocument>{order}</ram:BuyerOrderReferencedDocument>"
    if particulars.contract:  # BT-12
        contract = _text("IssuerAssignedID", particulars.contract)
        yield f"<ram:ContractReferencedDocument>{contract}</ram:ContractReferencedDocument>"
    for attachment in document.attachments:  # BG-24: the files travel beside the document
        yield (
            f"<ram:AdditionalReferencedDocument>{_text('IssuerAssignedID', attachment.name)}"
            "<ram:TypeCode>916</ram:TypeCode></ram:AdditionalReferencedDocument>"
        )
    if particulars.project:  # BT-11
        named = _text("ID", particulars.project) + _text("Name", particulars.project)
        yield f"<ram:SpecifiedProcuringProject>{named}</ram:SpecifiedProcuringProject>"
    yield "</ram:ApplicableHeaderTradeAgreement>"


def _seller(seller: CompanyDescription, *, outside: bool) -> Iterator[str]:
    trading = _text("TradingBusinessName", seller.trade_name)
    yield (
        f"<ram:SellerTradeParty>{_identifier('GlobalID', SIRET_SCHEME, seller.siret)}"  # BT-29
        f"{_text('Name', seller.display_name)}<ram:SpecifiedLegalOrganization>"  # BT-27
        f"{_identifier('ID', SIREN_SCHEME, seller.siren)}{trading}</ram:SpecifiedLegalOrganization>"  # BT-30, BT-28
        f"<ram:DefinedTradeContact>{_text('PersonName', seller.display_name)}"  # BG-6
    )
    if seller.phone:
        yield (
            f"<ram:TelephoneUniversalCommunication>{_text('CompleteNumber', seller.phone)}"
            "</ram:TelephoneUniversalCommunication>"
        )
    yield (
        f"<ram:EmailURIUniversalCommunication>{_text('URIID', seller.email)}</ram:EmailURIUniversalCommunication>"
        f"</ram:DefinedTradeContact>{_address(seller.address)}"
        f"{_electronic(ADDRESS_SCHEME, seller.siren)}"  # BT-34
    )
    if outside:  # BR-O-02: no VAT number stands on what is outside the scope of VAT
        yield _registration("FC", seller.siren)
    elif seller.vat_number is not None:
        yield _registration("VA", seller.vat_number)  # BT-31
    else:
        yield _registration("FC", seller.siren)  # BT-32: BR-E-02 asks for one of the two
    yield "</ram:SellerTradeParty>"


def _buyer(document: InvoiceDocument, *, outside: bool) -> Iterator[str]:
    buyer = document.buyer
    yield "<ram:BuyerTradeParty>"
    if buyer.siret is not None:
        yield _identifier("GlobalID", SIRET_SCHEME, buyer.siret)  # BT-46
    yield _text("Name", buyer.name)  # BT-44
    if buyer.siren is not None:
        legal = _identifier("ID", SIREN_SCHEME, buyer.siren)  # BT-47
        yield f"<ram:SpecifiedLegalOrganization>{legal}</ram:SpecifiedLegalOrganization>"
    if buyer.contact_name:
        person = _text("PersonName", buyer.contact_name)  # BT-56
        yield f"<ram:DefinedTradeContact>{person}</ram:DefinedTradeContact>"
    yield _address(buyer.billing_address)
    yield _buyer_electronic(buyer, document.seller)  # BT-49
    if buyer.vat_number is not None and not outside:
        yield _registration("VA", buyer.vat_number)  # BT-48
    yield "</ram:BuyerTradeParty>"


def _buyer_electronic(buyer: CustomerDescription, seller: CompanyDescription) -> str:
    """BR-FR-12 asks for one of everybody: without any, what is addressed to the buyer is brought by the seller."""
    if buyer.kind is CustomerKind.BUSINESS and buyer.siren is not None:
        return _electronic(ADDRESS_SCHEME, buyer.siren)
    return _electronic(MAIL_SCHEME, buyer.email or seller.email)


def _delivery(document: InvoiceDocument) -> Iterator[str]:
    buyer = document.buyer
    where = buyer.delivery_address
    if where is None and any(group.vat.category is VatCategory.INTRA_COMMUNITY for group in _groups(document)):
        where = buyer.billing_address  # BR-IC-12 wants the country
    yield "<ram:ApplicableHeaderTradeDelivery>"
    if where is not None:  # BG-13, BG-15
        name = document.particulars.delivery_name or buyer.name
        yield f"<ram:ShipToTradeParty>{_text('Name', name)}{_address(where)}</ram:ShipToTradeParty>"
    if document.supplied_on is not None:  # BT-72
        day = f"<ram:OccurrenceDateTime>{_day(document.supplied_on)}</ram:OccurrenceDateTime>"
        yield f"<ram:ActualDeliverySupplyChainEvent>{day}</ram:ActualDeliverySupplyChainEvent>"
    elif where is None:  # the schema wants the element, PEPPOL-EN16931-R008 something in it: BT-70
        yield f"<ram:ShipToTradeParty>{_text('Name', buyer.name)}</ram:ShipToTradeParty>"
    yield "</ram:ApplicableHeaderTradeDelivery>"


def _settlement(document: InvoiceDocument) -> Iterator[str]:
    euros = document.vat_euros_minor
    yield "<ram:ApplicableHeaderTradeSettlement>"
    if document.document_type in _ASKING:
        yield _text("PaymentReference", document.number)  # BT-83
    if euros is not None:
        yield "<ram:TaxCurrencyCode>EUR</ram:TaxCurrencyCode>"  # BT-6
    yield _text("InvoiceCurrencyCode", document.currency)  # BT-5
    yield from _means(document)
    for group in document.totals.vat_breakdown:
        yield _tax(group, document.codes.vat_due)
    period = document.particulars.period
    if period is not None:  # BG-14
        yield (
            f"<ram:BillingSpecifiedPeriod><ram:StartDateTime>{_day(period.start)}</ram:StartDateTime>"
            f"<ram:EndDateTime>{_day(period.end)}</ram:EndDateTime></ram:BillingSpecifiedPeriod>"
        )
    yield from _discounts(document)
    for adjustment in document.totals.adjustments:
        yield _adjustment(adjustment)
    yield (
        f"<ram:SpecifiedTradePaymentTerms>{_text('Description', _terms(document))}"  # BT-20
        f"<ram:DueDateDateTime>{_day(document.due_date)}</ram:DueDateDateTime>"  # BT-9
        "</ram:SpecifiedTradePaymentTerms>"
    )
    yield _summation(document)
    for preceding in document.preceding:  # BG-3
        yield (
            f"<ram:InvoiceReferencedDocument>{_text('IssuerAssignedID', preceding.number)}"
            '<ram:FormattedIssueDateTime><qdt:DateTimeString format="102">'
            f"{preceding.issue_date:%Y%m%d}</qdt:DateTimeString></ram:FormattedIssueDateTime>"
            "</ram:InvoiceReferencedDocument>"
        )
    yield "</ram:ApplicableHeaderTradeSettlement>"


_ASKING = frozenset({DocumentType.INVOICE, DocumentType.CORRECTIVE, DocumentType.DEPOSIT})


def _means(document: InvoiceDocument) -> Iterator[str]:
    """BG-16: how it was paid, or the account where it is to be paid. A credit note asks for nothing."""
    seller, paid = document.seller, document.paid
    if paid is not None:
        code = _text("TypeCode", _MEANS[paid.method])
        yield f"<ram:SpecifiedTradeSettlementPaymentMeans>{code}</ram:SpecifiedTradeSettlementPaymentMeans>"
    elif seller.iban is not None and document.document_type in _ASKING and document.totals.due_minor > 0:
        account = _text("IBANID", seller.iban) + _text("AccountName", seller.legal_name)  # BT-84, BT-85
        bank = f"<ram:PayeeSpecifiedCreditorFinancialInstitution>{_text('BICID', seller.bic)}" if seller.bic else ""
        yield (
            f"<ram:SpecifiedTradeSettlementPaymentMeans>{_text('TypeCode', _SEPA_TRANSFER)}"  # BT-81
            f"<ram:PayeePartyCreditorFinancialAccount>{account}</ram:PayeePartyCreditorFinancialAccount>"
            f"{bank}{'</ram:PayeeSpecifiedCreditorFinancialInstitution>' if bank else ''}"  # BT-86
            "</ram:SpecifiedTradeSettlementPaymentMeans>"
        )


def _tax(group: VatSubtotal, due: str) -> str:
    """BG-23. The reason and its code stand on every group without VAT; BT-8 is the same in every other."""
    vat = group.vat
    exemption = EXEMPTIONS.get(vat.exemption_code or "")
    taxed = vat.category is VatCategory.STANDARD
    return (
        f"<ram:ApplicableTradeTax><ram:CalculatedAmount>{_money(group.vat_minor)}</ram:CalculatedAmount>"
        f"<ram:TypeCode>VAT</ram:TypeCode>{_text('ExemptionReason', exemption.wording if exemption else '')}"
        f"<ram:BasisAmount>{_money(group.taxable_minor)}</ram:BasisAmount>{_text('CategoryCode', vat.category.value)}"
        f"{_text('ExemptionReasonCode', exemption.vatex if exemption else '')}"
        f"{_text('DueDateTypeCode', due if taxed else '')}{_rate(vat)}</ram:ApplicableTradeTax>"
    )


def _discounts(document: InvoiceDocument) -> Iterator[str]:
    """The discount on the whole document: the part of each group (BG-20), without its other allowances."""
    discount = document.document_discount
    if discount is None:
        return
    for group in document.totals.vat_breakdown:
        others = (part for part in document.totals.adjustments if part.vat == group.vat and not part.is_charge)
        amount_minor = group.discount_minor - sum(part.amount_minor for part in others)
        if amount_minor:
            yield _adjustment(
                ComputedAdjustment(
                    is_charge=False,
                    vat=group.vat,
                    amount_minor=amount_minor,
                    base_minor=group.lines_minor,
                    percent=discount.percent,
                    reason=discount.reason,
                    reason_code="",
                )
            )


def _adjustment(part: ComputedAdjustment) -> str:
    """BG-20 or BG-21."""
    return (
        f"<ram:SpecifiedTradeAllowanceCharge>{_indicator(part.is_charge)}{_share(part.percent, part.base_minor)}"
        f"<ram:ActualAmount>{_money(part.amount_minor)}</ram:ActualAmount>"
        f"{_text('ReasonCode', part.reason_code)}{_text('Reason', part.reason)}"
        f"<ram:CategoryTradeTax>{_vat_of(part.vat)}</ram:CategoryTradeTax></ram:SpecifiedTradeAllowanceCharge>"
    )


def _terms(document: InvoiceDocument) -> str:
    if document.paid is not None:
        return f"Payé le {document.paid.paid_on:%d/%m/%Y}"
    if document.document_type.is_credit_note:
        return "Avoir : aucune somme n'est à payer"
    asked = f"À payer au plus tard le {document.due_date:%d/%m/%Y}"
    if document.retention is None:
        return asked
    kept = document.particulars.tongue.money(document.retention.amount_minor)
    return f"{asked}, moins la retenue de garantie de {kept}, due à sa levée (loi n° 71-584 du 16 juillet 1971)"


def _summation(document: InvoiceDocument) -> str:
    """BG-22."""
    totals, currency = document.totals, document.currency
    euros = document.vat_euros_minor
    in_euros = f'<ram:TaxTotalAmount currencyID="EUR">{_money(euros)}</ram:TaxTotalAmount>' if euros is not None else ""
    prepaid = f"<ram:TotalPrepaidAmount>{_money(totals.prepaid_minor)}</ram:TotalPrepaidAmount>"
    return (
        "<ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        f"<ram:LineTotalAmount>{_money(totals.lines_minor)}</ram:LineTotalAmount>"
        f"<ram:ChargeTotalAmount>{_money(totals.charges_minor)}</ram:ChargeTotalAmount>"
        f"<ram:AllowanceTotalAmount>{_money(totals.discount_minor)}</ram:AllowanceTotalAmount>"
        f"<ram:TaxBasisTotalAmount>{_money(totals.net_minor)}</ram:TaxBasisTotalAmount>"
        f'<ram:TaxTotalAmount currencyID="{currency}">{_money(totals.vat_minor)}</ram:TaxTotalAmount>{in_euros}'
        f"<ram:GrandTotalAmount>{_money(totals.total_minor)}</ram:GrandTotalAmount>"
        f"{prepaid if totals.prepaid_minor else ''}"
        f"<ram:DuePayableAmount>{_money(totals.due_minor)}</ram:DuePayableAmount>"
        "</ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
    )


def _groups(document: InvoiceDocument) -> tuple[VatSubtotal, ...]:
    return document.totals.vat_breakdown


def _is_outside_scope(totals: Totals) -> bool:
    return any(group.vat.category is VatCategory.OUT_OF_SCOPE for group in totals.vat_breakdown)


def _vat_of(vat: VatTreatment) -> str:
    return f"<ram:TypeCode>VAT</ram:TypeCode>{_text('CategoryCode', vat.category.value)}{_rate(vat)}"


def _rate(vat: VatTreatment) -> str:
    """None outside the scope of VAT (BR-O-05 … BR-O-07)."""
    if vat.category is VatCategory.OUT_OF_SCOPE:
        return ""
    return f"<ram:RateApplicablePercent>{_number(vat.rate)}</ram:RateApplicablePercent>"


def _indicator(is_charge: bool) -> str:
    return f"<ram:ChargeIndicator><udt:Indicator>{str(is_charge).lower()}</udt:Indicator></ram:ChargeIndicator>"


def _share(percent: Decimal | None, base_minor: int | None) -> str:
    if percent is None or base_minor is None:
        return ""
    return (
        f"<ram:CalculationPercent>{_number(percent)}</ram:CalculationPercent>"
        f"<ram:BasisAmount>{_money(base_minor)}</ram:BasisAmount>"
    )


def _address(address: Address) -> str:
    return (
        f"<ram:PostalTradeAddress>{_text('PostcodeCode', address.postal_code)}{_text('LineOne', address.line1)}"
        f"{_text('LineTwo', address.line2)}{_text('CityName', address.city)}"
        f"{_text('CountryID', address.country_code)}</ram:PostalTradeAddress>"
    )


def _electronic(scheme: str, address: str) -> str:
    held = _identifier("URIID", scheme, address)
    return f"<ram:URIUniversalCommunication>{held}</ram:URIUniversalCommunication>"


def _registration(scheme: str, number: str) -> str:
    return f"<ram:SpecifiedTaxRegistration>{_identifier('ID', scheme, number)}</ram:SpecifiedTaxRegistration>"


def _identifier(name: str, scheme: str, value: str) -> str:
    return f'<ram:{name} schemeID="{scheme}">{escape(value)}</ram:{name}>'


def _text(name: str, value: str | None) -> str:
    """An element, or nothing when there is nothing to say."""
    return f"<ram:{name}>{escape(value)}</ram:{name}>" if value else ""


def _day(day: date) -> str:
    return f'<udt:DateTimeString format="102">{day:%Y%m%d}</udt:DateTimeString>'


def _unit(unit: str) -> str:
    """A code of UN/ECE Recommendation 20 (BT-130)."""
    return unit if unit in UNITS else "C62"


def _number(value: Decimal) -> str:
    return format_decimal(value)


def _money(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"

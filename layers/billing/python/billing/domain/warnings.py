"""What the law frowns upon without forbidding the document: said, never blocking.

A warning has a code for ever and the pointer of what it speaks of; its text in both languages is fixed by the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from billing.domain.late_payment import minimum_late_penalty_rate, rests_on_an_assumption
from billing.domain.ledger import PaymentMethod
from billing.domain.particulars import Particulars
from billing.domain.parties import CompanyDescription, CustomerDescription, CustomerKind, ProductKind
from billing.domain.payment_terms import PaymentTerms, TermsRule
from billing.domain.process import PaidAtIssue
from billing.domain.territories import is_in_france
from billing.domain.thresholds import cash_limit_minor, franchise_threshold
from billing.domain.totals import Totals
from billing.domain.vat import VatRegime
from billing.domain.vat_cases import doubts

# Code de commerce L441-10, I: days from the issue date.
LONGEST_TERMS_DAYS = 60
LONGEST_END_OF_MONTH_DAYS = 45
LONGEST_PERIODIC_DAYS = 45
LONGEST_TRANSPORT_DAYS = 30  # L441-11, II, 5°
_END_OF_MONTH_RULES = frozenset(
    {TermsRule.END_OF_MONTH, TermsRule.DAYS_THEN_END_OF_MONTH, TermsRule.END_OF_MONTH_THEN_DAYS}
)


class WarningCode(StrEnum):
    TERMS_BEYOND_60_DAYS = "terms-beyond-60-days"
    TERMS_BEYOND_45_DAYS_END_OF_MONTH = "terms-beyond-45-days-end-of-month"
    PERIODIC_TERMS_BEYOND_45_DAYS = "periodic-terms-beyond-45-days"
    BUSINESS_WITHOUT_SIREN = "business-without-siren"
    DELIVERY_ADDRESS_NOT_STATED = "delivery-address-not-stated"
    LATE_PENALTY_RATE_ASSUMED = "late-penalty-rate-assumed"
    LATE_PENALTY_RATE_TOO_LOW = "late-penalty-rate-too-low"
    FRANCHISE_THRESHOLD = "franchise-threshold"
    SUPPLY_AFTER_ISSUE = "supply-after-issue"
    PUBLIC_BUYER_WITHOUT_SIRET = "public-buyer-without-siret"
    CASH_ABOVE_LIMIT = "cash-above-limit"
    TRANSPORT_TERMS_BEYOND_30_DAYS = "transport-terms-beyond-30-days"
    PAYMENT_BEFORE_ISSUE = "payment-before-issue"
    VAT_CASE_OF_GOODS = "vat-case-of-goods"
    VAT_CASE_OF_SERVICES = "vat-case-of-services"
    VAT_CASE_OF_ANOTHER_PLACE = "vat-case-of-another-place"
    MARGIN_SCHEME_NOT_DECLARED = "margin-scheme-not-declared"
    NO_VAT_IN_GUYANE_AND_MAYOTTE = "no-vat-in-guyane-and-mayotte"
    RATE_OF_ANOTHER_TERRITORY = "rate-of-another-territory"
    INSURANCE_NOT_STATED = "insurance-not-stated"
    DEPOSIT_ALREADY_DEDUCTED = "deposit-already-deducted"
    PERIODS_ALREADY_DUE = "periods-already-due"
    REFUND_NOT_MADE_AT_STRIPE = "refund-not-made-at-stripe"
    CREDITED_WHILE_BEING_PAID = "credited-while-being-paid"
    CREDITED_WHILE_DISPUTED = "credited-while-disputed"


_FRENCH = {
    WarningCode.TERMS_BEYOND_60_DAYS: (
        "Entre professionnels, une facture se paie dans les 60 jours de son émission (Code de commerce, L441-10)."
    ),
    WarningCode.TERMS_BEYOND_45_DAYS_END_OF_MONTH: (
        "Un délai compté en fin de mois ne dépasse pas 45 jours fin de mois (Code de commerce, L441-10)."
    ),
    WarningCode.PERIODIC_TERMS_BEYOND_45_DAYS: (
        "Une facture périodique se paie dans les 45 jours de son émission (Code de commerce, L441-10)."
    ),
    WarningCode.BUSINESS_WITHOUT_SIREN: (
        "Le SIREN du client professionnel manque : la facture électronique le demande, et vos factures "
        "le porteront obligatoirement à partir du 1er septembre 2027 (décret 2022-1299)."
    ),
    WarningCode.DELIVERY_ADDRESS_NOT_STATED: (
        "Des biens sont vendus sans adresse de livraison : si elle diffère de celle du client, elle sera"
        " obligatoire à partir du 1er septembre 2027 (décret 2022-1299)."
    ),
    WarningCode.LATE_PENALTY_RATE_ASSUMED: (
        "Le taux des pénalités de retard imprimé repose sur le taux directeur du semestre précédent : à confirmer."
    ),
    WarningCode.LATE_PENALTY_RATE_TOO_LOW: (
        "Le taux des pénalités de retard est inférieur à trois fois le taux d'intérêt légal (Code de "
        "commerce, L441-10)."
    ),
    WarningCode.FRANCHISE_THRESHOLD: (
        "Cette facture dépasse à elle seule le seuil de la franchise de TVA : vérifiez la date de votre "
        "passage à la TVA (article 293 B du CGI)."
    ),
    WarningCode.SUPPLY_AFTER_ISSUE: (
        "La livraison ou la prestation est postérieure à l'émission : un acompte se facture comme tel."
    ),
    WarningCode.PUBLIC_BUYER_WITHOUT_SIRET: (
        "Si le client est public, la facture porte aussi le SIRET de l'établissement facturé."
    ),
    WarningCode.CASH_ABOVE_LIMIT: (
        "Une dette de plus de 1\u202f000\u00a0€ (15\u202f000\u00a0€ pour un particulier qui n'habite pas en France) "
        "ne se paie pas en espèces (CMF, art. D112-3)."
    ),
    WarningCode.TRANSPORT_TERMS_BEYOND_30_DAYS: (
        "Une facture de transport se paie dans les 30 jours de son émission (Code de commerce, L441-11)."
    ),
    WarningCode.PAYMENT_BEFORE_ISSUE: (
        "Le paiement est antérieur à l'émission : vérifiez qu'une facture d'acompte n'était pas due."
    ),
    WarningCode.VAT_CASE_OF_GOODS: (
        "Ce régime de TVA est celui de livraisons de biens, et la ligne est une prestation de services."
    ),
    WarningCode.VAT_CASE_OF_SERVICES: (
        "Ce régime de TVA est celui de prestations de services, et la ligne est une livraison de biens."
    ),
    WarningCode.VAT_CASE_OF_ANOTHER_PLACE: ("Ce régime de TVA ne correspond pas au pays du client ou de la livraison."),
    WarningCode.MARGIN_SCHEME_NOT_DECLARED: (
        "La facture applique un régime de la marge que le profil de l'entreprise ne déclare pas."
    ),
    WarningCode.NO_VAT_IN_GUYANE_AND_MAYOTTE: (
        "La TVA n'est pas applicable en Guyane et à Mayotte (article 294 du CGI)."
    ),
    WarningCode.RATE_OF_ANOTHER_TERRITORY: ("Ce taux de TVA n'est pas de ceux du lieu du vendeur ou du client."),
    WarningCode.INSURANCE_NOT_STATED: (
        "Les factures du bâtiment mentionnent l'assurance décennale (loi 96-603, article 22-2)."
    ),
    WarningCode.DEPOSIT_ALREADY_DEDUCTED: (
        "Cet acompte est déjà déduit d'une facture du devis, que l'avoir ne corrige pas : "
        "la part créditée est de nouveau à facturer."
    ),
    WarningCode.PERIODS_ALREADY_DUE: (
        "Des échéances sont passées : leurs factures seront émises, et envoyées selon le mode, d'ici une heure "
        "ou deux, toutes datées du jour même. Pour ne pas les facturer, reportez le début ou suspendez."
    ),
    WarningCode.REFUND_NOT_MADE_AT_STRIPE: (
        "L'avoir enregistre le remboursement et ne déplace pas d'argent. Ce que le client a payé en ligne, Stripe le "
        "rend quand vous le demandez : remboursez le paiement (POST /v1/payments/{payment_id}/refund) en indiquant "
        "cet avoir (credit_note_id), sauf si vous rendez l'argent vous-même."
    ),
    WarningCode.CREDITED_WHILE_BEING_PAID: (
        "Un paiement en ligne de cette facture est en cours. S'il aboutit, ce que la facture ne devra plus sera un "
        "crédit de votre client : remboursez-le, ou réglez-en une autre facture."
    ),
    WarningCode.CREDITED_WHILE_DISPUTED: (
        "Un paiement en ligne de cette facture est contesté et la banque n'a pas encore décidé : d'ici là, Stripe ne "
        "le rembourse pas. Ne rendez pas cet argent autrement, et ne dépensez pas le crédit que l'avoir laisse au "
        "client : si le litige est perdu, la banque rend l'argent et ZenBilling l'impute à l'avoir ou à ce crédit. "
        "Répondez au litige dans Stripe, ou acceptez-le ; une fois gagné, vous pourrez rembourser le paiement en "
        "indiquant cet avoir."
    ),
}
_ENGLISH = {
    WarningCode.TERMS_BEYOND_60_DAYS: (
        "Between businesses, an invoice is due within 60 days of its issue date (Code de commerce, L441-10)."
    ),
    WarningCode.TERMS_BEYOND_45_DAYS_END_OF_MONTH: (
        "Terms counted to the end of a month do not exceed 45 days end of month (Code de commerce, L441-10)."
    ),
    WarningCode.PERIODIC_TERMS_BEYOND_45_DAYS: (
        "A periodic invoice is due within 45 days of its issue date (Code de commerce, L441-10)."
    ),
    WarningCode.BUSINESS_WITHOUT_SIREN: (
        "The business customer has no SIREN: an e-invoice needs it, and your invoices must carry it from"
        " 1 September 2027 (décret 2022-1299)."
    ),
    WarningCode.DELIVERY_ADDRESS_NOT_STATED: (
        "Goods are sold without a delivery address: where it is not the customer's own, it must be "
        "stated from 1 September 2027 (décret 2022-1299)."
    ),
    WarningCode.LATE_PENALTY_RATE_ASSUMED: (
        "The printed late payment rate rests on the refinancing rate of the half-year before: to be confirmed."
    ),
    WarningCode.LATE_PENALTY_RATE_TOO_LOW: (
        "The late payment rate is below three times the legal interest rate (Code de commerce, L441-10)."
    ),
    WarningCode.FRANCHISE_THRESHOLD: (
        "This invoice alone exceeds the threshold of the VAT franchise: check the date from which you "
        "charge VAT (CGI art. 293 B)."
    ),
    WarningCode.SUPPLY_AFTER_ISSUE: (
        "The supply comes after the issue date: a deposit has an invoice of its own kind."
    ),
    WarningCode.PUBLIC_BUYER_WITHOUT_SIRET: (
        "If the customer is a public body, the invoice also states the SIRET of the establishment billed."
    ),
    WarningCode.CASH_ABOVE_LIMIT: (
        "A debt above €1,000 (€15,000 for a consumer who lives abroad) may not be paid in cash (CMF art. D112-3)."
    ),
    WarningCode.TRANSPORT_TERMS_BEYOND_30_DAYS: (
        "A transport invoice is due within 30 days of its issue date (Code de commerce, L441-11)."
    ),
    WarningCode.PAYMENT_BEFORE_ISSUE: (
        "The payment came before the issue date: check that no deposit invoice was due."
    ),
    WarningCode.VAT_CASE_OF_GOODS: ("This VAT case is one of goods, and the line is a service."),
    WarningCode.VAT_CASE_OF_SERVICES: ("This VAT case is one of services, and the line is goods."),
    WarningCode.VAT_CASE_OF_ANOTHER_PLACE: (
        "This VAT case does not fit the country of the customer or of the delivery."
    ),
    WarningCode.MARGIN_SCHEME_NOT_DECLARED: (
        "The invoice applies a margin scheme that the company's profile does not declare."
    ),
    WarningCode.NO_VAT_IN_GUYANE_AND_MAYOTTE: ("VAT is not applied in Guyane and Mayotte (CGI art. 294)."),
    WarningCode.RATE_OF_ANOTHER_TERRITORY: ("This VAT rate is not one of the place of the seller or of the customer."),
    WarningCode.INSURANCE_NOT_STATED: ("Invoices of builders state the ten-year insurance (loi 96-603, art. 22-2)."),
    WarningCode.DEPOSIT_ALREADY_DEDUCTED: (
        "This deposit was deducted on an invoice of the quote, which the credit note does not correct: "
        "what is credited is to be invoiced again."
    ),
    WarningCode.PERIODS_ALREADY_DUE: (
        "Some dates have passed: their invoices will be issued, and mailed if the mode says so, within an hour "
        "or two, all dated that day. Not to invoice them, set a later start or pause."
    ),
    WarningCode.REFUND_NOT_MADE_AT_STRIPE: (
        "The credit note records the refund and moves no money. What the customer paid online, Stripe gives back once "
        "you ask: refund the payment (POST /v1/payments/{payment_id}/refund) naming this credit note "
        "(credit_note_id), unless you give the money back yourself."
    ),
    WarningCode.CREDITED_WHILE_BEING_PAID: (
        "An online payment of this invoice is in progress. If it comes through, what the invoice no longer owes will "
        "be your customer's credit: refund it, or pay another invoice with it."
    ),
    WarningCode.CREDITED_WHILE_DISPUTED: (
        "An online payment of this invoice is disputed, and the bank has not decided yet: until then Stripe does not "
        "refund it. Do not give this money back otherwise, and do not spend the credit that the note leaves: if the "
        "dispute is lost, the bank gives the money back and ZenBilling takes it from the note or from that credit. "
        "Answer the dispute at Stripe, or accept it; once it is won, you can refund the payment naming this note."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One warning: what it says, and the field of the invoice or of a party that it speaks of."""

    code: WarningCode
    pointer: str

    @property
    def detail_fr(self) -> str:
        return _FRENCH[self.code]

    @property
    def detail_en(self) -> str:
        return _ENGLISH[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a document says or, of a draft, would say if it were issued on that day."""

    issue_date: date
    due_date: date
    terms: PaymentTerms | None
    supply_date: date | None
    seller: CompanyDescription
    buyer: CustomerDescription
    particulars: Particulars
    totals: Totals
    paid: PaidAtIssue | None = None

    def in_euros(self, amount_minor: int) -> int:
        exchange = self.particulars.exchange
        return exchange.in_euros(amount_minor) if exchange else amount_minor

    @property
    def between_businesses(self) -> bool:
        return self.buyer.kind is CustomerKind.BUSINESS

    @property
    def buyer_is_french(self) -> bool:
        return is_in_france(self.buyer.billing_address)


def notices(facts: Facts) -> tuple[Notice, ...]:
    """Everything worth telling the seller, most pressing first."""
    return (*_terms(facts), *_parties(facts), *_vat(facts), *_amounts(facts), *_payment(facts), *_dates(facts))


def _terms(facts: Facts) -> Iterator[Notice]:
    if not facts.between_businesses or facts.paid is not None:
        return
    days = (facts.due_date - facts.issue_date).days
    pointer = "/due_date" if facts.terms is None else "/payment_terms"
    if facts.particulars.period is not None and days > LONGEST_PERIODIC_DAYS:
        yield Notice(code=WarningCode.PERIODIC_TERMS_BEYOND_45_DAYS, pointer=pointer)
    if facts.seller.trade.transports and days > LONGEST_TRANSPORT_DAYS:
        yield Notice(code=WarningCode.TRANSPORT_TERMS_BEYOND_30_DAYS, pointer=pointer)
    elif facts.terms is not None and facts.terms.rule in _END_OF_MONTH_RULES:
        if facts.due_date > _latest_end_of_month(facts.issue_date):
            yield Notice(code=WarningCode.TERMS_BEYOND_45_DAYS_END_OF_MONTH, pointer=pointer)
    elif facts.due_date > facts.issue_date + timedelta(days=LONGEST_TERMS_DAYS):
        yield Notice(code=WarningCode.TERMS_BEYOND_60_DAYS, pointer=pointer)


def _latest_end_of_month(issue_date: date) -> date:
    """The later of both ways of counting 45 days end of month, and never less than 60 days."""
    counted = (
        PaymentTerms(rule=rule, days=LONGEST_END_OF_MONTH_DAYS).due_date(issue_date)
        for rule in (TermsRule.DAYS_THEN_END_OF_MONTH, TermsRule.END_OF_MONTH_THEN_DAYS)
    )
    return max(*counted, issue_date + timedelta(days=LONGEST_TERMS_DAYS))


def _parties(facts: Facts) -> Iterator[Notice]:
    if not facts.between_businesses:
        return
    if facts.buyer_is_french and facts.buyer.siren is None:
        yield Notice(code=WarningCode.BUSINESS_WITHOUT_SIREN, pointer="/customer/siren")
    kinds = {computed.line.kind for computed in facts.totals.lines}
    if ProductKind.GOODS in kinds and facts.buyer.delivery_address is None:
        yield Notice(code=WarningCode.DELIVERY_ADDRESS_NOT_STATED, pointer="/delivery_address")
    references = facts.particulars.buyer_reference or facts.particulars.contract
    if references and facts.buyer_is_french and facts.buyer.siret is None:
        yield Notice(code=WarningCode.PUBLIC_BUYER_WITHOUT_SIRET, pointer="/buyer_siret")
    rate = facts.seller.late_penalty_rate
    if rate < minimum_late_penalty_rate(facts.issue_date):
        yield Notice(code=WarningCode.LATE_PENALTY_RATE_TOO_LOW, pointer="/company/late_penalty_rate")
    elif rests_on_an_assumption(rate, facts.issue_date):
        yield Notice(code=WarningCode.LATE_PENALTY_RATE_ASSUMED, pointer="/company/late_penalty_rate")


def _vat(facts: Facts) -> Iterator[Notice]:
    for code, pointer in doubts(facts.seller, facts.buyer, facts.totals):
        yield Notice(code=WarningCode(code), pointer=pointer)
    if facts.seller.trade.builds and facts.seller.trade.insurance is None:
        yield Notice(code=WarningCode.INSURANCE_NOT_STATED, pointer="/company/trade/insurance")


def _payment(facts: Facts) -> Iterator[Notice]:
    if facts.paid is None:
        return
    if facts.paid.paid_on < facts.issue_date:
        yield Notice(code=WarningCode.PAYMENT_BEFORE_ISSUE, pointer="/paid/paid_on")
    if facts.paid.method is PaymentMethod.CASH and facts.in_euros(facts.totals.total_minor) > cash_limit_minor(
        facts.buyer
    ):
        yield Notice(code=WarningCode.CASH_ABOVE_LIMIT, pointer="/paid/method")


def _amounts(facts: Facts) -> Iterator[Notice]:
    if facts.seller.vat_regime is not VatRegime.FRANCHISE:
        return
    for kind in ProductKind:
        billed = sum(computed.net_minor for computed in facts.totals.lines if computed.line.kind is kind)
        if facts.in_euros(billed) > franchise_threshold(kind, facts.issue_date).base_minor:
            yield Notice(code=WarningCode.FRANCHISE_THRESHOLD, pointer="/lines")
            return


def _dates(facts: Facts) -> Iterator[Notice]:
    if facts.supply_date is not None and facts.supply_date > facts.issue_date:
        yield Notice(code=WarningCode.SUPPLY_AFTER_ISSUE, pointer="/supply_date")

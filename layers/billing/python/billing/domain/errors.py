"""Every way a request can be refused.

BillingError
├── InvalidInput                 the request breaks a rule of form or of law
│   ├── FieldErrors              … several, each with the pointer of its field
│   ├── PageTokenInvalid
│   ├── BodyTooLarge
│   ├── StripeSignatureRefused   it does not come from Stripe, or not just now
│   ├── NothingToNote            an incident says so already
│   ├── MaintenanceWindowInvalid
│   └── IdempotencyKeyReused
├── NotFound                     absent, or another tenant's: no difference is shown
│   └── UnknownReference         … and the request names it in a field
├── Conflict                     the state of the resource does not allow it
│   ├── CompanyNotDescribed
│   ├── InvoiceAlreadyIssued
│   ├── InvoiceNotIssued
│   ├── NotDuplicable
│   ├── SeriesAlreadyStarted
│   ├── IssueDateTooEarly
│   ├── PaymentExceedsBalance
│   ├── PaymentReversed
│   ├── PaymentFromCredit        it is reversed, not refunded
│   ├── PaymentByStripe          Stripe alone moves its money
│   ├── RefundRefused
│   ├── RefundExceedsPayment
│   ├── CashAboveLimit           law: it takes a person's confirmation
│   ├── CreditExceedsRemaining
│   ├── CustomerCreditExceeded
│   ├── CustomerMerged           … into another one, which its detail names
│   ├── DeliveryInProgress
│   ├── RecipientMissing
│   ├── PdfNotReady
│   ├── NumberTaken
│   ├── NothingLeftToPay
│   ├── OnlinePaymentUnavailable
│   ├── PaymentInProgress        … and its bank has not answered yet
│   ├── CheckoutRefused          Stripe does not open a page for it
│   ├── StripeAccountNotConnected
│   ├── StripeAccountRefused     Stripe does not make one
│   ├── SubscriptionRunning      … already; the portal changes it
│   ├── SubscriptionNotStarted   … so that there is no portal yet
│   ├── SubscriptionRefused      Stripe does not open a page for it
│   ├── PlanLimitReached         no new invoice this month; everything else goes on
│   ├── ReminderAlreadySent
│   ├── ReminderNotDue
│   ├── WebhookEndpointLimitReached
│   ├── WebhookEndpointDisabled
│   ├── BulkJobNotStopped
│   ├── MaintenanceWindowOver    … or taken back already
│   ├── IncidentNotClosable      … yet; its detail says what is missing
│   ├── IncidentTimelineFull
│   ├── ExportNotReady
│   ├── OnboardingStepUnavailable
│   ├── ProductReferenceTaken    … its pointer is in ``errors``
│   ├── AccountExists
│   └── SignInChallengeRequired
├── StaleVersion                 somebody else changed it since it was read
├── PreconditionRequired         If-Match or Idempotency-Key is missing
├── Unauthenticated
│   ├── CredentialsRefused
│   ├── CodeRefused
│   ├── EmailNotConfirmed
│   ├── SessionEnded             its tokens were revoked: only signing in again helps
│   └── MembershipChanged        the token no longer says the truth: refresh it
├── Forbidden                    the role does not allow it
├── TooManyAttempts
│   └── TooManyPaymentPages      of one invoice within the hour
├── Busy                         contention outlasted the request's budget: try again
└── DependencyUnavailable        a third party or the table did not answer in time
    ├── DocumentDamaged
    ├── MailTemporarilyRefused
    └── MailUnconfirmed
DocumentNotConformant            permanent: a rule refuses the document, which is not sent
MailRefused                      permanent: not an answer to a request but a delivery outcome
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class BillingError(Exception):
    """Base of every refusal. ``slug`` names the problem type for ever; titles are shown to users.

    ``field`` is the pointer of the one field that is always at fault; a refusal may name another one by ``pointer``.
    """

    slug: ClassVar[str]
    title_fr: ClassVar[str]
    title_en: ClassVar[str]
    field: ClassVar[str] = ""

    def __init__(self, detail_fr: str = "", detail_en: str = "", *, pointer: str = "") -> None:
        self.detail_fr = detail_fr
        self.detail_en = detail_en or detail_fr
        self.errors: tuple[FieldError, ...] = ()
        if at := pointer or self.field:
            self.errors = (FieldError(at, self.detail_fr or self.title_fr, self.detail_en or self.title_en),)
        super().__init__(self.detail_en or self.title_en)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: an RFC 6901 pointer into the request body, and why, in both languages."""

    pointer: str
    detail_fr: str
    detail_en: str


def _summary(errors: tuple[FieldError, ...]) -> tuple[str, str]:
    """What is wrong when it is one thing, how many fields otherwise."""
    said = {(error.detail_fr, error.detail_en) for error in errors}
    if len(said) == 1:
        return said.pop()
    count = len({error.pointer for error in errors})
    if count == 1:
        return "Un champ est à corriger.", "One field needs correcting."
    return f"{count} champs sont à corriger.", f"{count} fields need correcting."


class InvalidInput(BillingError):
    slug = "invalid-input"
    title_fr = "Demande invalide"
    title_en = "Invalid request"


class FieldErrors(InvalidInput):
    """Several fields are wrong; all of them are named at once."""

    slug = "invalid-fields"
    title_fr = "Certains champs sont invalides"
    title_en = "Some fields are invalid"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(*_summary(errors))
        self.errors = errors


class PageTokenInvalid(InvalidInput):
    slug = "page-token-invalid"
    title_fr = "Jeton de page invalide"
    title_en = "Invalid page token"


class IdempotencyKeyReused(InvalidInput):
    slug = "idempotency-key-reused"
    title_fr = "Cette clé d'idempotence a déjà servi pour une autre demande"
    title_en = "This idempotency key was already used for another request"


class BodyTooLarge(InvalidInput):
    slug = "body-too-large"
    title_fr = "Le corps de la demande est trop grand"
    title_en = "The request body is too large"


class StripeSignatureRefused(InvalidInput):
    """No secret of ours signed these bytes within the tolerated time."""

    slug = "stripe-signature-refused"
    title_fr = "Cette notification n'est pas signée par Stripe"
    title_en = "This notification is not signed by Stripe"


class StatementTooLong(InvalidInput):
    """More movements, or more open invoices, than one statement holds."""

    slug = "statement-too-long"
    title_fr = "Ce relevé est trop long : choisissez une période plus courte"
    title_en = "This statement is too long: choose a shorter period"


class VatNumberMissing(InvalidInput):
    slug = "vat-number-missing"
    title_fr = "Ce client n'a pas de numéro de TVA à vérifier"
    title_en = "This customer has no VAT number to check"


class NotFound(BillingError):
    slug = "not-found"
    title_fr = "Introuvable"
    title_en = "Not found"


class UnknownReference(NotFound):
    """A field names something that does not exist in this tenant; ``errors`` has its pointer."""

    slug = "unknown-reference"
    title_fr = "La demande cite un élément introuvable"
    title_en = "The request names something that does not exist"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(*_summary(errors))
        self.errors = errors


class Conflict(BillingError):
    slug = "conflict"
    title_fr = "L'état actuel ne le permet pas"
    title_en = "The current state does not allow this"


class CompanyNotDescribed(Conflict):
    slug = "company-not-described"
    title_fr = "L'entreprise n'est pas encore décrite"
    title_en = "The company is not described yet"


class ProductReferenceTaken(Conflict):
    """References are unique in a tenant, archived products included; ``errors`` has the pointer."""

    slug = "product-reference-taken"
    title_fr = "Cette référence est déjà celle d'un autre produit"
    title_en = "This reference is already another product's"

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(*_summary(errors))
        self.errors = errors


class InvoiceAlreadyIssued(Conflict):
    slug = "invoice-already-issued"
    title_fr = "La facture est déjà émise et ne peut plus changer"
    title_en = "The invoice is already issued and can no longer change"


class InvoiceNotIssued(Conflict):
    slug = "invoice-not-issued"
    title_fr = "La facture n'est pas encore émise"
    title_en = "The invoice is not issued yet"


class NotDuplicable(Conflict):
    """A credit note, a deposit or a final invoice belongs to what it follows."""

    slug = "not-duplicable"
    title_fr = "Seule une facture ordinaire peut être dupliquée"
    title_en = "Only an ordinary invoice can be duplicated"


class SeriesAlreadyStarted(Conflict):
    slug = "series-already-started"
    title_fr = "La série a déjà un numéro de départ ou un document"
    title_en = "The series already has a start number or a document"


class IssueDateTooEarly(Conflict):
    slug = "issue-date-too-early"
    title_fr = "La date d'émission précède celle de la dernière facture de la série"
    title_en = "The issue date precedes the last issue date of the series"
    field = "/issue_date"


class PaymentExceedsBalance(Conflict):
    slug = "payment-exceeds-balance"
    title_fr = "Le paiement dépasse le reste à payer"
    title_en = "The payment exceeds the balance due"
    field = "/amount_minor"


class PaymentReversed(Conflict):
    slug = "payment-reversed"
    title_fr = "Ce paiement est déjà annulé ou remboursé"
    title_en = "The payment is reversed or refunded already"


class PaymentFromCredit(Conflict):
    """No money came: there is none to give back."""

    slug = "payment-from-credit"
    title_fr = "Ce paiement a été fait avec le crédit du client"
    title_en = "The payment was made from the customer's credit"


class PaymentByStripe(Conflict):
    slug = "payment-by-stripe"
    title_fr = "Ce paiement est passé par Stripe"
    title_en = "The payment came through Stripe"


class RefundRefused(Conflict):
    """Stripe said no for good; the detail says why."""

    slug = "refund-refused"
    title_fr = "Stripe refuse ce remboursement"
    title_en = "Stripe refuses this refund"


class RefundExceedsPayment(Conflict):
    slug = "refund-exceeds-payment"
    title_fr = "Le remboursement dépasse le paiement"
    title_en = "The refund exceeds the payment"
    field = "/amount_minor"


class CashAboveLimit(Conflict):
    """Code monétaire et financier L112-6, D112-3."""

    slug = "cash-above-limit"
    title_fr = "Ce paiement en espèces dépasse le plafond légal"
    title_en = "This cash payment exceeds the legal limit"
    field = "/confirm_cash_above_limit"


class CreditExceedsRemaining(Conflict):
    slug = "credit-exceeds-remaining"
    title_fr = "L'avoir dépasse ce qui reste à créditer"
    title_en = "The credit note exceeds what is left to credit"


class CustomerCreditExceeded(Conflict):
    slug = "customer-credit-exceeded"
    title_fr = "Le crédit du client ne suffit pas"
    title_en = "The customer's credit does not suffice"


class CustomerMerged(Conflict):
    slug = "customer-merged"
    title_fr = "Ce client a été fusionné avec un autre"
    title_en = "This customer was merged into another one"


class DeliveryInProgress(Conflict):
    slug = "delivery-in-progress"
    title_fr = "Un envoi est déjà en cours"
    title_en = "A delivery is already in progress"


class RecipientMissing(Conflict):
    slug = "recipient-missing"
    title_fr = "Le client n'a pas d'adresse e-mail"
    title_en = "The customer has no e-mail address"


class PdfNotReady(Conflict):
    slug = "pdf-not-ready"
    title_fr = "Le PDF est en cours de préparation"
    title_en = "The PDF is being prepared"


class NothingToNote(InvalidInput):
    slug = "nothing-to-note"
    title_fr = "Rien à noter"
    title_en = "Nothing to note"
    field = "/note"


class MaintenanceWindowInvalid(InvalidInput):
    slug = "maintenance-window-invalid"
    title_fr = "Fenêtre de maintenance impossible"
    title_en = "Impossible maintenance window"
    field = "/ends_at"


class MaintenanceWindowOver(Conflict):
    slug = "maintenance-window-over"
    title_fr = "Maintenance déjà terminée"
    title_en = "Maintenance is over already"


class IncidentNotClosable(Conflict):
    slug = "incident-not-closable"
    title_fr = "Incident qui ne peut pas être clos"
    title_en = "Incident cannot be closed"


class TenantNotParked(Conflict):
    slug = "tenant-not-parked"
    title_fr = "Cette société n'est pas mise à l'écart"
    title_en = "This company is not parked"


class DeadLetterEnded(Conflict):
    slug = "dead-letter-ended"
    title_fr = "Ce message n'est plus en attente"
    title_en = "This message does not wait any more"


class IncidentTimelineFull(Conflict):
    slug = "incident-timeline-full"
    title_fr = "Chronologie de l'incident pleine"
    title_en = "Timeline of the incident is full"


class BulkJobNotStopped(Conflict):
    slug = "bulk-job-not-stopped"
    title_fr = "Seul un traitement interrompu depuis moins de 25 jours peut être repris"
    title_en = "Only a job that stopped, and started within 25 days, can be resumed"


class ExportNotReady(Conflict):
    slug = "export-not-ready"
    title_fr = "Aucune archive à télécharger"
    title_en = "No archive to download"


class WebhookEndpointLimitReached(Conflict):
    slug = "webhook-endpoint-limit-reached"
    title_fr = "Le nombre maximal de destinations de webhooks est atteint"
    title_en = "The limit of webhook endpoints is reached"


class WebhookEndpointDisabled(Conflict):
    slug = "webhook-endpoint-disabled"
    title_fr = "Cette destination de webhooks est désactivée"
    title_en = "This webhook endpoint is disabled"


class NumberTaken(Conflict):
    """The formatted number already exists in another series or period: two formats collide."""

    slug = "number-taken"
    title_fr = "Ce numéro existe déjà dans une autre série"
    title_en = "This number already exists in another series"


class QuoteAlreadySent(Conflict):
    slug = "quote-already-sent"
    title_fr = "Le devis est déjà envoyé : faites-en une nouvelle version"
    title_en = "The quote is already sent: make a new version of it"


class QuoteNotSent(Conflict):
    slug = "quote-not-sent"
    title_fr = "Le devis n'est pas encore envoyé"
    title_en = "The quote is not sent yet"


class QuoteExpired(Conflict):
    slug = "quote-expired"
    title_fr = "Le devis n'est plus valable"
    title_en = "The quote is no longer valid"


class QuoteSuperseded(Conflict):
    slug = "quote-superseded"
    title_fr = "Une version plus récente de ce devis existe"
    title_en = "A newer version of this quote exists"


class QuoteAlreadyAnswered(Conflict):
    slug = "quote-already-answered"
    title_fr = "Ce devis a déjà reçu sa réponse"
    title_en = "This quote was already answered"


class QuoteNotAccepted(Conflict):
    slug = "quote-not-accepted"
    title_fr = "Le devis n'est pas accepté"
    title_en = "The quote is not accepted"


class QuoteAlreadyInvoiced(Conflict):
    slug = "quote-already-invoiced"
    title_fr = "Le devis est déjà facturé"
    title_en = "The quote is already invoiced"


class QuotePartOpen(Conflict):
    slug = "quote-part-open"
    title_fr = "Une facture de ce devis est encore un brouillon : émettez-la ou supprimez-la"
    title_en = "An invoice of this quote is still a draft: issue it or delete it"


class QuoteAmountsFixed(Conflict):
    """Accepted is accepted: another amount needs another quote, or an invoice of its own."""

    slug = "quote-amounts-fixed"
    title_fr = "Les montants de cette facture sont ceux du devis accepté"
    title_en = "The amounts of this invoice are those of the accepted quote"


class RecurringInvoiceEnded(Conflict):
    slug = "recurring-invoice-ended"
    title_fr = "Cette récurrence est terminée"
    title_en = "This recurring invoice has ended"


class RecurringInvoiceNotPaused(Conflict):
    slug = "recurring-invoice-not-paused"
    title_fr = "Cette récurrence n'est pas en pause"
    title_en = "This recurring invoice is not paused"


class NothingLeftToPay(Conflict):
    slug = "nothing-left-to-pay"
    title_fr = "Il ne reste rien à payer sur cette facture"
    title_en = "Nothing is left to pay on this invoice"


class OnlinePaymentUnavailable(Conflict):
    slug = "online-payment-unavailable"
    title_fr = "Le paiement en ligne n'est pas possible pour cette facture"
    title_en = "This invoice cannot be paid online"


class PaymentInProgress(Conflict):
    """The customer confirmed a payment online; until its outcome is known there is no other."""

    slug = "payment-in-progress"
    title_fr = "Un paiement en ligne de cette facture est en cours"
    title_en = "An online payment of this invoice is in progress"


class PaymentDisputed(Conflict):
    """A bank has not decided on a payment yet: what is given back of it besides, the customer may have twice."""

    slug = "payment-disputed"
    title_fr = "Ce paiement est contesté"
    title_en = "This payment is disputed"
    field = "/confirm_disputed"


class CheckoutRefused(Conflict):
    slug = "checkout-refused"
    title_fr = "Stripe n'a pas accepté d'ouvrir ce paiement"
    title_en = "Stripe did not accept to open this payment"


class StripeAccountNotConnected(Conflict):
    slug = "stripe-account-not-connected"
    title_fr = "L'entreprise n'a pas de compte Stripe"
    title_en = "The company has no Stripe account"


class StripeAccountRefused(Conflict):
    slug = "stripe-account-refused"
    title_fr = "Stripe n'a pas accepté la demande"
    title_en = "Stripe did not accept the request"


class SubscriptionRunning(Conflict):
    slug = "subscription-running"
    title_fr = "L'entreprise a déjà un abonnement"
    title_en = "The company has a subscription already"


class SubscriptionNotStarted(Conflict):
    slug = "subscription-not-started"
    title_fr = "L'entreprise n'a pas encore d'abonnement"
    title_en = "The company has no subscription yet"


class SubscriptionRefused(Conflict):
    slug = "subscription-refused"
    title_fr = "Stripe n'a pas accepté la demande d'abonnement"
    title_en = "Stripe did not accept the request for a subscription"


class PlanLimitReached(Conflict):
    """Far more invoices this month than the plan is meant for; the detail says what to do."""

    slug = "plan-limit-reached"
    title_fr = "Le nombre de factures de votre offre est atteint pour ce mois"
    title_en = "The number of invoices of your plan is reached for this month"


class ReminderAlreadySent(Conflict):
    slug = "reminder-already-sent"
    title_fr = "Cette relance est déjà partie"
    title_en = "This reminder was sent already"


class ReminderNotDue(Conflict):
    slug = "reminder-not-due"
    title_fr = "Ce n'est pas le moment de cette relance"
    title_en = "It is not the time for this reminder"


class OnboardingStepUnavailable(Conflict):
    slug = "onboarding-step-unavailable"
    title_fr = "Cette étape n'est pas la prochaine"
    title_en = "This step is not the next one"


class AccountExists(Conflict):
    slug = "account-exists"
    title_fr = "Un compte existe déjà avec cette adresse"
    title_en = "An account with this address already exists"
    field = "/email"


class SignInChallengeRequired(Conflict):
    slug = "sign-in-challenge-required"
    title_fr = "Une étape de connexion supplémentaire est demandée"
    title_en = "A further sign-in step is required"


class StaleVersion(BillingError):
    slug = "stale-version"
    title_fr = "La ressource a changé depuis votre lecture"
    title_en = "The resource changed since you read it"


class PreconditionRequired(BillingError):
    slug = "precondition-required"
    title_fr = "Un en-tête obligatoire manque"
    title_en = "A required header is missing"


class Unauthenticated(BillingError):
    slug = "unauthenticated"
    title_fr = "Connexion requise"
    title_en = "Sign-in required"


class CredentialsRefused(Unauthenticated):
    slug = "credentials-refused"
    title_fr = "Adresse ou mot de passe incorrect"
    title_en = "Wrong address or password"


class CodeRefused(Unauthenticated):
    slug = "code-refused"
    title_fr = "Code incorrect ou expiré"
    title_en = "Wrong or expired code"
    field = "/code"


class EmailNotConfirmed(Unauthenticated):
    slug = "email-not-confirmed"
    title_fr = "L'adresse e-mail n'est pas encore confirmée"
    title_en = "The e-mail address is not confirmed yet"


class SessionEnded(Unauthenticated):
    slug = "session-ended"
    title_fr = "La session est terminée, reconnectez-vous"
    title_en = "The session has ended, sign in again"


class MembershipChanged(Unauthenticated):
    slug = "membership-changed"
    title_fr = "Vos droits ont changé : actualisez la session"
    title_en = "Your rights changed: refresh the session"


class Forbidden(BillingError):
    slug = "forbidden"
    title_fr = "Votre rôle ne permet pas cette opération"
    title_en = "Your role does not allow this operation"


class TooManyAttempts(BillingError):
    slug = "too-many-attempts"
    title_fr = "Trop de tentatives, réessayez plus tard"
    title_en = "Too many attempts, try again later"


class TooManyPaymentPages(TooManyAttempts):
    """An invoice had as many pages at Stripe as it may within an hour; ``retry_after_seconds``: until the next one.

    ``all_can_be_paid``: there are no more for parts of what is owed, and still some for all of it.
    """

    slug = "too-many-payment-pages"
    title_fr = "Trop de pages de paiement ont été demandées pour cette facture"
    title_en = "Too many payment pages were asked for this invoice"

    def __init__(self, retry_after_seconds: int, *, all_can_be_paid: bool = False) -> None:
        self.retry_after_seconds = retry_after_seconds
        minutes = -(-retry_after_seconds // 60)
        french, english = f"Réessayez dans {minutes} min.", f"Try again in {minutes} min."
        if all_can_be_paid:
            french = f"Vous pouvez payer dès maintenant tout ce qui reste dû ; une partie, dans {minutes} min."
            english = f"You can pay all that is owed now; a part of it, in {minutes} min."
        super().__init__(french, english)


class Busy(BillingError):
    slug = "busy"
    title_fr = "Beaucoup de demandes en même temps, réessayez"
    title_en = "Many requests at once, try again"


class DependencyUnavailable(BillingError):
    """Worth retrying. State machines retry it by this class name."""

    slug = "dependency-unavailable"
    title_fr = "Un service nécessaire ne répond pas"
    title_en = "A required service does not answer"


class DocumentDamaged(DependencyUnavailable):
    """The stored bytes are not those that were drawn: nobody judges, sends or exports them. An operator restores."""

    slug = "document-damaged"
    title_fr = "Le fichier conservé de ce document est abîmé"
    title_en = "The stored file of this document is damaged"


class MailTemporarilyRefused(DependencyUnavailable):
    """The relay answered 4xx before taking the message: nothing was sent, a retry is safe."""

    slug = "mail-temporarily-refused"
    title_fr = "Le serveur de messagerie demande de réessayer"
    title_en = "The mail server asks to try again"


class MailUnconfirmed(DependencyUnavailable):
    """The transmission was cut: nobody knows yet whether the mail left. It is never sent again by itself."""

    slug = "mail-unconfirmed"
    title_fr = "L'envoi n'est pas confirmé"
    title_en = "The delivery is not confirmed"


class DocumentNotConformant(BillingError):
    """The rules of the reform refuse the document: it is kept and shown, and never sent by itself."""

    slug = "document-not-conformant"
    title_fr = "Le document ne respecte pas une règle de la facture électronique"
    title_en = "The document breaks a rule of electronic invoicing"


class MailRefused(BillingError):
    """The relay refused the message or the recipient for good."""

    slug = "mail-refused"
    title_fr = "Le serveur de messagerie a refusé le message"
    title_en = "The mail server refused the message"

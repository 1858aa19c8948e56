"""What to do about each refusal, for where it says no more than its title. One entry for each problem type."""

from __future__ import annotations

from typing import Final

from billing.domain import errors
from billing.domain.errors import BillingError

# Whoever holds a link is in no company: a wrong, an expired and a revoked link are told alike.
LINK_GONE: Final = (
    "Ce lien n'est plus valable : demandez-en un autre à l'entreprise.",
    "This link is not valid any more: ask the company for another one.",
)
# French, English.
ADVICE: Final[dict[type[BillingError], tuple[str, str]]] = {
    errors.InvalidInput: (
        "Corrigez la demande d'après la documentation de l'API, puis renvoyez-la.",
        "Correct the request by the documentation of the API, then send it again.",
    ),
    errors.PageTokenInvalid: (
        "Reprenez la liste depuis sa première page, avec les mêmes filtres et sans page_token.",
        "Start the list again from its first page, with the same filters and without page_token.",
    ),
    errors.IdempotencyKeyReused: (
        "Prenez une nouvelle Idempotency-Key ; pour répéter la première demande, renvoyez son contenu exact.",
        "Take a new Idempotency-Key; to repeat the first request, send exactly its content.",
    ),
    errors.BodyTooLarge: (
        "Envoyez un contenu plus petit, ou en plusieurs fois.",
        "Send less, or in several requests.",
    ),
    errors.StripeSignatureRefused: (
        "Seul Stripe appelle cette adresse. Si c'est lui, vérifiez le secret de la destination et l'heure du serveur.",
        "Stripe alone calls this address. If it did, check the secret of the endpoint and the clock of the server.",
    ),
    errors.StatementTooLong: (
        "Demandez une période plus courte, puis la suivante.",
        "Ask for a shorter period, then for the next one.",
    ),
    errors.VatNumberMissing: (
        "Ajoutez son numéro de TVA à la fiche du client, puis vérifiez-le.",
        "Add the VAT number to the customer, then check it.",
    ),
    errors.NotFound: (
        "Vérifiez l'adresse et l'identifiant : rien de tel n'existe dans votre entreprise.",
        "Check the address and the id: there is no such thing in your company.",
    ),
    errors.Conflict: (
        "Relisez l'élément : son état a pu changer. Puis décidez à nouveau.",
        "Read it again: its state may have changed. Then decide anew.",
    ),
    errors.CompanyNotDescribed: (
        "Décrivez d'abord votre entreprise (PUT /v1/company, page Entreprise), puis recommencez.",
        "Describe your company first (PUT /v1/company, company page), then try again.",
    ),
    errors.NothingToNote: (
        "L'incident le dit déjà : écrivez ce qui est nouveau.",
        "The incident says so already: write what is new.",
    ),
    errors.MaintenanceWindowInvalid: (
        "Prenez une fin dans le futur, après le début et 24 heures plus tard au plus.",
        "Take an end in the future, after the start and 24 hours later at most.",
    ),
    errors.InvoiceAlreadyIssued: (
        "Corrigez-la par un avoir, puis émettez une nouvelle facture si besoin.",
        "Correct it by a credit note, then issue a new invoice where needed.",
    ),
    errors.InvoiceNotIssued: (
        "Émettez d'abord la facture, puis recommencez.",
        "Issue the invoice first, then try again.",
    ),
    errors.NotDuplicable: (
        "Créez une nouvelle facture, ou dupliquez une facture ordinaire.",
        "Create a new invoice, or duplicate an ordinary one.",
    ),
    errors.SeriesAlreadyStarted: (
        "Continuez la numérotation telle qu'elle est : un numéro de départ se choisit avant le premier document.",
        "Go on with the numbers as they are: a start number is chosen before the first document.",
    ),
    errors.IssueDateTooEarly: (
        "Choisissez la date de la dernière facture de la série, ou une date postérieure.",
        "Choose the date of the last invoice of the series, or a later one.",
    ),
    errors.PaymentExceedsBalance: (
        "Relisez la facture et enregistrez au plus ce qu'il reste à payer.",
        "Read the invoice again and record at most what is left to pay.",
    ),
    errors.PaymentReversed: (
        "Relisez le paiement : il n'y a plus rien à annuler ni à rembourser. Au besoin, enregistrez-en un nouveau.",
        "Read the payment again: nothing is left to reverse or refund. Record a new one where needed.",
    ),
    errors.PaymentFromCredit: (
        "Annulez ce paiement : son montant revient au crédit du client, que vous pouvez ensuite rembourser.",
        "Reverse this payment: its amount is the customer's credit again, which you can then refund.",
    ),
    errors.PaymentByStripe: (
        "Remboursez ce paiement : il ne s'annule pas. Si le client l'a contesté, répondez d'abord dans Stripe.",
        "Refund this payment: it cannot be reversed. If the customer contested it, answer at Stripe first.",
    ),
    errors.RefundRefused: (
        "Regardez ce paiement dans votre tableau de bord Stripe, puis recommencez ou remboursez par un autre moyen.",
        "Look at this payment in your Stripe dashboard, then try again or refund by other means.",
    ),
    errors.RefundExceedsPayment: (
        "Relisez le paiement et remboursez au plus ce qu'il en reste.",
        "Read the payment again and refund at most what is left of it.",
    ),
    errors.CashAboveLimit: (
        "Demandez un autre moyen de paiement, ou confirmez que celui-ci est permis.",
        "Ask for another means of payment, or confirm that this one is allowed.",
    ),
    errors.CreditExceedsRemaining: (
        "Relisez la facture et créditez au plus ce qui ne l'est pas encore.",
        "Read the invoice again and credit at most what is not credited yet.",
    ),
    errors.CustomerCreditExceeded: (
        "Relisez le crédit du client et n'en utilisez pas plus.",
        "Read the customer's credit again and use no more of it.",
    ),
    errors.CustomerMerged: (
        "Utilisez la fiche du client qui l'a remplacé.",
        "Use the customer that took its place.",
    ),
    errors.DeliveryInProgress: (
        "Attendez la fin de l'envoi en cours, visible sur le document, puis recommencez si besoin.",
        "Wait until the delivery that the document shows has ended, then try again where needed.",
    ),
    errors.RecipientMissing: (
        "Ajoutez une adresse e-mail à la fiche du client, ou indiquez un destinataire pour cet envoi.",
        "Add an e-mail address to the customer, or name a recipient for this delivery.",
    ),
    errors.PdfNotReady: (
        "Réessayez dans quelques secondes.",
        "Try again in a few seconds.",
    ),
    errors.MaintenanceWindowOver: (
        "Rien à faire : elle ne fait plus rien taire. Les fenêtres en cours ou à venir sont dans la liste.",
        "Nothing to do: it silences nothing any more. Those that run or are ahead are in the list.",
    ),
    errors.DeadLetterEnded: (
        "Rien à faire : il a été rejoué ou écarté.",
        "Nothing to do: it was replayed or dropped.",
    ),
    errors.TenantNotParked: (
        "Rien à faire : les automatismes s'en occupent déjà.",
        "Nothing to do: what runs by itself sees to it already.",
    ),
    errors.IncidentNotClosable: (
        "Complétez la fiche de l'incident, puis clôturez-le.",
        "Complete the sheet of the incident, then close it.",
    ),
    errors.IncidentTimelineFull: (
        "Clôturez cet incident et ouvrez-en un autre pour la suite.",
        "Close this incident and open another one for what follows.",
    ),
    errors.BulkJobNotStopped: (
        "Attendez que le traitement s'arrête, ou lancez-en un nouveau.",
        "Wait until the job stops, or start a new one.",
    ),
    errors.ExportNotReady: (
        "Attendez la fin de l'export ; s'il a fini sans archive, lancez-en un nouveau.",
        "Wait until the export ends; when it ended without an archive, start a new one.",
    ),
    errors.WebhookEndpointLimitReached: (
        "Supprimez une destination qui ne sert plus, puis recommencez.",
        "Delete an endpoint that is not used any more, then try again.",
    ),
    errors.WebhookEndpointDisabled: (
        "Réactivez d'abord la destination, puis recommencez.",
        "Enable the endpoint first, then try again.",
    ),
    errors.NumberTaken: (
        "Changez le modèle de numéro de l'une des deux séries (page Entreprise), puis recommencez.",
        "Change the number pattern of one of the two series (company page), then try again.",
    ),
    errors.QuoteAlreadySent: (
        "Faites une nouvelle version du devis et modifiez-la.",
        "Make a new version of the quote and edit that one.",
    ),
    errors.QuoteNotSent: (
        "Envoyez d'abord le devis, puis recommencez.",
        "Send the quote first, then try again.",
    ),
    errors.QuoteExpired: (
        "Une nouvelle version, valable plus longtemps, le remplace : le client la demande, l'entreprise l'envoie.",
        "A new version that is valid for longer takes its place: the customer asks for it, the company sends it.",
    ),
    errors.QuoteSuperseded: (
        "Ouvrez la version la plus récente de ce devis.",
        "Open the newest version of this quote.",
    ),
    errors.QuoteAlreadyAnswered: (
        "Relisez le devis : sa réponse y figure. Pour changer d'avis, adressez-vous à l'autre partie.",
        "Read the quote again: it shows its answer. To change your mind, ask the other party.",
    ),
    errors.QuoteNotAccepted: (
        "Enregistrez d'abord l'acceptation du client, puis facturez.",
        "Record the customer's acceptance first, then invoice.",
    ),
    errors.QuoteAlreadyInvoiced: (
        "Ouvrez les factures de ce devis : il ne reste rien à facturer.",
        "Open the invoices of this quote: nothing is left to invoice.",
    ),
    errors.QuotePartOpen: (
        "Émettez ce brouillon ou supprimez-le, puis recommencez.",
        "Issue this draft or delete it, then try again.",
    ),
    errors.QuoteAmountsFixed: (
        "Laissez lignes et montants tels quels ; pour un autre montant, faites un autre devis ou une facture à part.",
        "Leave lines and amounts as they are; for another amount make another quote or an invoice of its own.",
    ),
    errors.RecurringInvoiceEnded: (
        "Créez une nouvelle récurrence.",
        "Create a new recurring invoice.",
    ),
    errors.RecurringInvoiceNotPaused: (
        "Relisez la récurrence : elle est déjà active.",
        "Read the recurring invoice again: it is active already.",
    ),
    errors.NothingLeftToPay: (
        "Il n'y a rien à faire : relisez la facture pour voir ce qui a été payé.",
        "There is nothing to do: read the invoice again to see what was paid.",
    ),
    errors.OnlinePaymentUnavailable: (
        "Payez par un autre moyen indiqué sur la facture.",
        "Pay by another means that the invoice names.",
    ),
    errors.PaymentInProgress: (
        "Ne payez pas une seconde fois : attendez la réponse, en minutes pour une carte, en jours pour un prélèvement.",
        "Do not pay a second time: wait for the answer, within minutes for a card, within days for a debit.",
    ),
    errors.PaymentDisputed: (
        (
            "Répondez au litige dans Stripe, ou acceptez-le : la banque rend alors l'argent. Si vous avez déjà rendu "
            "cet argent vous-même, confirmez-le (confirm_disputed)."
        ),
        (
            "Answer the dispute at Stripe, or accept it: the bank then gives the money back. If you gave this money "
            "back yourself already, confirm it (confirm_disputed)."
        ),
    ),
    errors.CheckoutRefused: (
        "Payez par un autre moyen indiqué sur la facture, ou prévenez l'entreprise.",
        "Pay by another means that the invoice names, or tell the company.",
    ),
    errors.StripeAccountNotConnected: (
        "Reliez d'abord un compte Stripe (page Paiement en ligne), puis recommencez.",
        "Link a Stripe account first (online payment page), then try again.",
    ),
    errors.StripeAccountRefused: (
        "Vérifiez la description de l'entreprise, puis recommencez ; sinon, demandez à l'assistance de Stripe.",
        "Check the description of the company, then try again; otherwise ask Stripe's support.",
    ),
    errors.SubscriptionRunning: (
        "Changez d'offre, de carte ou mettez fin à l'abonnement depuis son portail (page Abonnement).",
        "Change plan or card, or end the subscription, in its portal (subscription page).",
    ),
    errors.SubscriptionNotStarted: (
        "Choisissez d'abord une offre (page Abonnement).",
        "Choose a plan first (subscription page).",
    ),
    errors.SubscriptionRefused: (
        "Réessayez ; si le refus persiste, écrivez à l'assistance de ZenBilling.",
        "Try again; if it is refused once more, write to ZenBilling's support.",
    ),
    errors.PlanLimitReached: (
        "Choisissez une offre plus grande (page Abonnement), ou émettez le mois prochain.",
        "Take a larger plan (subscription page), or issue next month.",
    ),
    errors.ReminderAlreadySent: (
        "Relisez les relances de la facture : la suivante partira à sa date.",
        "Read the reminders of the invoice again: the next one leaves on its day.",
    ),
    errors.ReminderNotDue: (
        "Relisez les relances de la facture : elles disent laquelle est due, et quand.",
        "Read the reminders of the invoice again: they say which one is due, and when.",
    ),
    errors.OnboardingStepUnavailable: (
        "Relisez où en est la mise en route et faites l'étape qu'elle indique.",
        "Read where the onboarding stands and take the step that it names.",
    ),
    errors.AccountExists: (
        "Connectez-vous avec cette adresse, ou inscrivez-vous avec une autre.",
        "Sign in with this address, or sign up with another one.",
    ),
    errors.SignInChallengeRequired: (
        "Terminez la connexion par l'étape demandée.",
        "Complete the sign-in by the step that is asked for.",
    ),
    errors.StaleVersion: (
        "Relisez-la, reportez vos changements sur sa nouvelle version, puis renvoyez-les avec celle-ci.",
        "Read it again, make your changes on its new version, then send them with that one.",
    ),
    errors.PreconditionRequired: (
        "Renvoyez la demande avec l'en-tête qui manque.",
        "Send the request again with the header that is missing.",
    ),
    errors.Unauthenticated: (
        "Connectez-vous, puis recommencez.",
        "Sign in, then try again.",
    ),
    errors.CredentialsRefused: (
        "Vérifiez l'adresse et le mot de passe, puis recommencez.",
        "Check the address and the password, then try again.",
    ),
    errors.CodeRefused: (
        "Vérifiez le code reçu, ou demandez-en un nouveau.",
        "Check the code that you got, or ask for a new one.",
    ),
    errors.EmailNotConfirmed: (
        "Saisissez le code reçu par e-mail, ou demandez-en un nouveau.",
        "Enter the code that came by e-mail, or ask for a new one.",
    ),
    errors.SessionEnded: (
        "Connectez-vous à nouveau.",
        "Sign in again.",
    ),
    errors.MembershipChanged: (
        "Actualisez la session (POST /v1/auth/refresh), puis recommencez.",
        "Refresh the session (POST /v1/auth/refresh), then try again.",
    ),
    errors.Forbidden: (
        "Demandez-la à un membre dont le rôle la permet, ou au propriétaire de l'entreprise.",
        "Ask a member whose role allows it, or the owner of the company.",
    ),
    errors.TooManyAttempts: (
        "Attendez une minute, puis réessayez.",
        "Wait for a minute, then try again.",
    ),
    errors.Busy: (
        "Rien n'a été fait : renvoyez la même demande dans un instant.",
        "Nothing was done: send the same request again in a moment.",
    ),
    errors.DependencyUnavailable: (
        "Renvoyez la même demande, avec la même Idempotency-Key s'il y en a une, dans quelques secondes.",
        "Send the same request, with the same Idempotency-Key if there is one, again in a few seconds.",
    ),
    errors.DocumentDamaged: (
        "Prévenez l'assistance de ZenBilling : le fichier sera rétabli à l'identique.",
        "Tell ZenBilling's support: the file will be restored as it was.",
    ),
    errors.MailTemporarilyRefused: (
        "Réessayez dans quelques minutes.",
        "Try again in a few minutes.",
    ),
    errors.MailUnconfirmed: (
        "Demandez au destinataire s'il a reçu le message avant de le renvoyer.",
        "Ask the recipient whether the message came before you send it again.",
    ),
    errors.DocumentNotConformant: (
        "Lisez le rapport de conformité du document, puis corrigez ce qu'il indique.",
        "Read the conformity report of the document, then correct what it names.",
    ),
    errors.MailRefused: (
        "Vérifiez l'adresse du destinataire, puis renvoyez le document.",
        "Check the address of the recipient, then send the document again.",
    ),
}
_BY_SLUG: Final = {kind.slug: words for kind, words in ADVICE.items()}


def advice_on(slug: str) -> tuple[str, str]:
    """Of a refusal that was kept by its problem type; nothing where its details are always its own."""
    return _BY_SLUG.get(slug, ("", ""))

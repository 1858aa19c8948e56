"""Paying an invoice online: one page at a time at Stripe, closed when what it rests on changes.

Whoever holds a link to the invoice may open one; the caller judges the link. Every step is written before and after
Stripe is asked, under a key made of facts: a process that dies leaves nothing that the next one cannot find again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.domain.access import Caller
from billing.domain.checkout import (
    LEAST_LIFE_SHOWN,
    LEAST_MINOR,
    SESSION_LIFE,
    AttemptState,
    CheckoutAttempt,
    CheckoutBook,
    CheckoutSite,
    WhyNotOnline,
    why_not_online,
)
from billing.domain.document_names import name_of
from billing.domain.errors import (
    BillingError,
    Busy,
    CheckoutRefused,
    DependencyUnavailable,
    FieldError,
    FieldErrors,
    NotFound,
    NothingLeftToPay,
    OnlinePaymentUnavailable,
    PaymentExceedsBalance,
    PaymentInProgress,
    StaleVersion,
)
from billing.domain.invoice import Invoice, IssuedInvoice
from billing.domain.letter import one_line
from billing.domain.links import LinkToken, hash_of_secret
from billing.domain.stripe import CheckoutSession, CheckoutStatus
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_words import answer_words
from billing.domain.typography import amount_words
from billing.ports.checkouts import CheckoutContext, Checkouts, DueCheckout, LinkSecrets, MovedLedger, StripeConnections
from billing.ports.clock import Clock, Ids
from billing.ports.stripe import NO_ACCESS, CheckoutWanted, StripeGateway, StripeRefused
from billing.usecases.contention import judged_anew
from billing.usecases.turns import Turns, turning

JOB = "stripe"
DUE_LIMIT = 50
RUN_BUDGET_SECONDS = 40.0  # the function has a minute; the rest waits for the next run
SETTLED_AFTER = timedelta(minutes=2)  # requests that were on their way when an account was let go have ended
AGAIN_AFTER = timedelta(minutes=2)  # what could not be closed
IDEMPOTENCY_ERROR = "idempotency_error"  # another question was asked under the same key


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPage:
    """Where the customer pays; ``fresh`` when this request opened it."""

    url: str
    amount_minor: int
    currency: str
    expires_at: datetime
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRun:
    """Pages that were closed, and those that could not be for now."""

    closed: int = 0
    failed: int = 0


def open_checkout(
    tenant_id: str,
    invoice_id: str,
    amount_minor: int | None,
    *,
    site: CheckoutSite,
    checkouts: Checkouts,
    stripe: StripeGateway,
    secrets: LinkSecrets,
    clock: Clock,
    ids: Ids,
    links_at: Callable[[], int] | None = None,
) -> CheckoutPage:
    """A page to pay what is left of an invoice, or ``amount_minor`` of it where the company allows it.

    The page that is open already is given again while it asks for the same. ``links_at`` judges the link of who asks,
    each time that all is judged anew, and says the version of the link book by which it did: none is opened by another.

    Raises: what ``links_at`` does, NotFound, OnlinePaymentUnavailable, NothingLeftToPay, PaymentInProgress,
        PaymentExceedsBalance, FieldErrors (the amount), TooManyPaymentPages, CheckoutRefused, DependencyUnavailable.
    """
    till = _Till(site=site, checkouts=checkouts, stripe=stripe, secrets=secrets, clock=clock)
    return judged_anew(lambda: till.open(tenant_id, invoice_id, amount_minor, links_at), clock=clock, ids=ids)


def doubt_checkout(moved: MovedLedger, *, checkouts: Checkouts, clock: Clock, ids: Ids) -> bool:
    """A page that was opened before this entry of the ledger is looked at at once. Raises: DependencyUnavailable."""

    def attempt() -> bool:
        book = checkouts.book(moved.tenant_id, moved.invoice_id)
        if book.closable is None or book.closable.ledger_rank >= moved.rank:
            return False
        doubted = book.to_check(clock.now())
        if doubted is book:
            return False
        checkouts.save(doubted)
        return True

    return judged_anew(attempt, clock=clock, ids=ids, exhausted=DependencyUnavailable)


def close_due_checkouts(
    *,
    site: CheckoutSite,
    checkouts: Checkouts,
    connections: StripeConnections,
    stripe: StripeGateway,
    secrets: LinkSecrets,
    clock: Clock,
    ids: Ids,
) -> ClosingRun:
    """What came in doubt, what ended, and every page of a company that let its account go."""
    sweep = _Sweep(
        till=_Till(site=site, checkouts=checkouts, stripe=stripe, secrets=secrets, clock=clock),
        connections=connections,
        ids=ids,
    )
    return sweep.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Till:
    site: CheckoutSite
    checkouts: Checkouts
    stripe: StripeGateway
    secrets: LinkSecrets
    clock: Clock

    def open(
        self, tenant_id: str, invoice_id: str, amount_minor: int | None, links_at: Callable[[], int] | None
    ) -> CheckoutPage:
        links_version = links_at() if links_at is not None else None
        context = self.checkouts.load(tenant_id, invoice_id)
        invoice, book = _issued(context.invoice), context.book
        wanted = self._wanted(context, invoice, amount_minor)
        live = book.live
        if live is not None:
            shown, book = self._shown(book, invoice, live, wanted)
            if shown is not None:
                return shown
        self._hold_pace(book, invoice, wanted)
        number = book.made + 1
        attempt = CheckoutAttempt(
            number=number,
            state=AttemptState.OPENING,
            account_id=wanted.account_id,
            amount_minor=wanted.amount_minor,
            currency=invoice.document.currency,
            ledger_rank=wanted.ledger_rank,
            opened_at=self.clock.now(),
            expires_at=(self.clock.now() + SESSION_LIFE).replace(microsecond=0),
            application_fee_minor=self.site.fee_minor(wanted.amount_minor),
            return_hash=hash_of_secret(self._return_secret(book, number)),
        )
        book = book.beginning(attempt)
        self.checkouts.save(book, while_ledger_at=attempt.ledger_rank, while_links_at=links_version)
        session, book = self._asked(book, invoice, attempt)
        if session is None:
            raise _refusal(book.current)
        return self._opened(book, attempt, session, fresh=True)

    def close(self, tenant_id: str, invoice_id: str) -> bool:
        context = self.checkouts.load(tenant_id, invoice_id)
        book, live = context.book, context.book.closable
        if live is None or not isinstance(context.invoice, IssuedInvoice):
            return False
        now = self.clock.now()
        if now < live.expires_at and _rests_on(live, context.invoice, context.connection):
            if book.check_at is not None:
                self.checkouts.save(book.checked())
            return False
        with contextlib.suppress(PaymentInProgress):
            self._closed(book, context.invoice, live)
        return True

    def _wanted(self, context: CheckoutContext, invoice: IssuedInvoice, amount_minor: int | None) -> _Facts:
        connection, payable = context.connection, invoice.payable_minor(self.clock.today())
        if why_not := why_not_online(invoice, connection, context.book, payable_minor=payable):
            raise _refused(why_not, invoice, context.book)
        amount = payable if amount_minor is None else amount_minor
        _hold_amount(amount, payable, invoice.document.currency, partly=connection.allows_partial_payments)
        assert connection.account is not None  # noqa: S101 - it accepts payments
        return _Facts(
            account_id=connection.account.account_id, amount_minor=amount, ledger_rank=invoice.ledger.entry_count
        )

    def _hold_pace(self, book: CheckoutBook, invoice: IssuedInvoice, wanted: _Facts) -> None:
        """Raises: TooManyPaymentPages."""
        now = self.clock.now()
        book.hold_pace(now, of_all=wanted.amount_minor == invoice.payable_minor(self.clock.today()))

    def _shown(
        self, book: CheckoutBook, invoice: IssuedInvoice, live: CheckoutAttempt, wanted: _Facts
    ) -> tuple[CheckoutPage | None, CheckoutBook]:
        """The page of the live attempt where it is what is wanted; else the book without that attempt."""
        if wanted != _Facts.of(live) or live.expires_at - self.clock.now() < LEAST_LIFE_SHOWN:
            self._hold_pace(book, invoice, wanted)  # the page that is there stays where no other may follow
            return None, self._closed(book, invoice, live)
        session, book = self._found(book, invoice, live)
        if session is None:
            return None, book
        if session.status is CheckoutStatus.OPEN:
            return self._opened(book, live, session, fresh=False), book
        return None, self._ended(book, live, session)

    def _found(
        self, book: CheckoutBook, invoice: IssuedInvoice, live: CheckoutAttempt
    ) -> tuple[CheckoutSession | None, CheckoutBook]:
        """The session of an attempt as it is now; None, and the book without it, when Stripe never opened it."""
        session_id = live.session_id
        if session_id is None:
            asked, book = self._asked(book, invoice, live)
            if asked is None:
                return None, book
            session_id = asked.session_id  # the answer is the one of the first time: as it is now is another question
        try:
            session = self.stripe.read_checkout_session(live.account_id, session_id)
        except StripeRefused as refused:
            if refused.code != NO_ACCESS:
                raise
            raise DependencyUnavailable from refused
        if session is None:
            raise DependencyUnavailable
        return session, book

    def _asked(
        self, book: CheckoutBook, invoice: IssuedInvoice, attempt: CheckoutAttempt
    ) -> tuple[CheckoutSession | None, CheckoutBook]:
        """The session of an attempt, made now or by whoever asked before. None: refused, and the book says so."""
        try:
            session = self.stripe.create_checkout_session(
                attempt.account_id,
                self._question(book, invoice, attempt),
                idempotency_key=book.idempotency_key(attempt),
            )
        except StripeRefused as refused:
            if refused.code == IDEMPOTENCY_ERROR:  # a session may exist: it stays the only one until its end
                raise DependencyUnavailable from refused
            return None, self._saved(
                book.moved(attempt.number, AttemptState.REFUSED, self.clock.now(), failure_code=refused.code)
            )
        return session, book

    def _opened(
        self, book: CheckoutBook, attempt: CheckoutAttempt, session: CheckoutSession, *, fresh: bool
    ) -> CheckoutPage:
        if session.url is None:
            raise DependencyUnavailable
        if attempt.state is AttemptState.OPENING:
            self._saved(book.opened(attempt.number, session))
        return CheckoutPage(
            url=session.url,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            expires_at=attempt.expires_at,
            fresh=fresh,
        )

    def _closed(self, book: CheckoutBook, invoice: IssuedInvoice, live: CheckoutAttempt) -> CheckoutBook:
        """The book once nobody can pay on the page of its attempt. Raises: PaymentInProgress: somebody did."""
        session_id = live.session_id
        if session_id is None:
            asked, book = self._asked(book, invoice, live)
            if asked is None:
                return book
            session_id = asked.session_id
        try:
            session = self.stripe.expire_checkout_session(live.account_id, session_id)
        except StripeRefused as refused:  # the account is not ours to ask any more: the page ends by itself
            if self.clock.now() < live.expires_at:
                raise DependencyUnavailable from refused
            return self._saved(book.moved(live.number, AttemptState.EXPIRED, self.clock.now()))
        return self._ended(book, live, session)

    def _ended(self, book: CheckoutBook, live: CheckoutAttempt, session: CheckoutSession) -> CheckoutBook:
        """What was paid is ``processing`` until the ledger has it, in the transaction that makes it ``succeeded``."""
        if session.status is CheckoutStatus.UNKNOWN:  # somebody may still pay there: it stays the only page
            raise DependencyUnavailable
        if session.status is CheckoutStatus.COMPLETE:
            self._saved(
                book.moved(
                    live.number,
                    AttemptState.PROCESSING,
                    self.clock.now(),
                    payment_intent_id=session.payment_intent_id,
                )
            )
            raise PaymentInProgress
        return self._saved(book.moved(live.number, AttemptState.EXPIRED, self.clock.now()))

    def _saved(self, book: CheckoutBook) -> CheckoutBook:
        self.checkouts.save(book)
        return book

    def _question(self, book: CheckoutBook, invoice: IssuedInvoice, attempt: CheckoutAttempt) -> CheckoutWanted:
        """Made of the attempt and of what is frozen, so that asking again is the same question."""
        document = invoice.document
        token = LinkToken(
            tenant_id=book.tenant_id,
            document_id=book.invoice_id,
            secret=self._return_secret(book, attempt.number),
        )
        page = f"{self.site.invoices_url}/{token.text}"
        tongue, total_minor = document.particulars.tongue, document.totals.due_minor
        title = name_of(document).numbered(tongue, document.number)
        if attempt.amount_minor != total_minor:
            amount, total = tongue.money(attempt.amount_minor), tongue.money(total_minor)
            title += f": {amount} of {total}" if tongue.is_english else f" : {amount} sur {total}"
        return CheckoutWanted(
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            title=one_line(title),
            language="en" if tongue.is_english else "fr",
            success_url=f"{page}?paiement=effectue",
            cancel_url=f"{page}?paiement=annule",
            expires_at=attempt.expires_at,
            application_fee_minor=attempt.application_fee_minor,
            customer_email=document.buyer.email or None,
            metadata={
                "tenant_id": book.tenant_id,
                "invoice_id": book.invoice_id,
                "attempt": str(attempt.number),
            },
        )

    def _return_secret(self, book: CheckoutBook, number: int) -> str:
        context = {"tenant_id": book.tenant_id, "invoice_id": book.invoice_id, "checkout": str(number)}
        return self.secrets.secret(context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What makes two requests ask for the same page."""

    account_id: str
    amount_minor: int
    ledger_rank: int

    @classmethod
    def of(cls, attempt: CheckoutAttempt) -> _Facts:
        return cls(account_id=attempt.account_id, amount_minor=attempt.amount_minor, ledger_rank=attempt.ledger_rank)


@dataclass(slots=True, kw_only=True)
class _Sweep:
    till: _Till
    connections: StripeConnections
    ids: Ids
    closed: int = 0
    failed: int = 0

    def run(self) -> ClosingRun:
        clock, turns = self.till.clock, Turns()
        started = clock.monotonic()
        for shard in turning(self.till.checkouts.shards, self.ids.jitter()):
            for due in self.till.checkouts.due(clock.now(), shard=shard, limit=DUE_LIMIT):
                if clock.monotonic() - started > RUN_BUDGET_SECONDS:
                    break
                with turns.one():
                    self._deal_with(due)
        turns.end()
        return ClosingRun(closed=self.closed, failed=self.failed)

    def _deal_with(self, due: DueCheckout) -> None:
        if due.invoice_id is not None:
            self._close(due.tenant_id, due.invoice_id)
            return
        closed = self.closed + self.failed
        for invoice_id in self.till.checkouts.closable(due.tenant_id, limit=DUE_LIMIT):
            self._close(due.tenant_id, invoice_id)
        if closed != self.closed + self.failed:
            return
        connection = self.connections.stored(due.tenant_id)
        let_go = connection.disconnected_at
        if connection.closing and (let_go is None or self.till.clock.now() - let_go >= SETTLED_AFTER):
            try:
                self.connections.save(Caller.system(due.tenant_id, JOB), connection.closed())
            except StaleVersion:  # somebody changed it: the next run looks again
                return

    def _close(self, tenant_id: str, invoice_id: str) -> None:
        clock = self.till.clock
        try:
            self.closed += judged_anew(
                lambda: self.till.close(tenant_id, invoice_id), clock=clock, ids=self.ids, exhausted=Busy
            )
        except (Busy, DependencyUnavailable):
            self.failed += 1
            self._postpone(tenant_id, invoice_id)

    def _postpone(self, tenant_id: str, invoice_id: str) -> None:
        """What cannot be closed for now keeps no other from its turn."""
        with contextlib.suppress(BillingError):
            book = self.till.checkouts.book(tenant_id, invoice_id)
            if book.closable is not None:
                self.till.checkouts.save(book.postponed(self.till.clock.now() + AGAIN_AFTER))


def _issued(invoice: Invoice | None) -> IssuedInvoice:
    """Raises: NotFound, for a draft and a credit note alike."""
    if not isinstance(invoice, IssuedInvoice) or invoice.document.document_type.is_credit_note:
        raise NotFound
    return invoice


def _refused(why_not: WhyNotOnline, invoice: IssuedInvoice, book: CheckoutBook) -> BillingError:
    seller = one_line(invoice.document.seller.display_name)
    match why_not:
        case WhyNotOnline.IN_PROGRESS:
            french, english = answer_words(book.live.method if book.live else "")
            return PaymentInProgress(f"Ne payez pas une seconde fois : {french}.", f"Do not pay twice: {english}.")
        case WhyNotOnline.NOTHING_LEFT:
            return NothingLeftToPay()
        case WhyNotOnline.NOT_ACCEPTED:
            return OnlinePaymentUnavailable(
                f"{seller} n'accepte pas le paiement en ligne : payez par un autre moyen indiqué sur la facture.",
                f"{seller} does not accept payments online: pay by another means that the invoice names.",
            )
        case WhyNotOnline.BELOW_MINIMUM:
            least, english = amount_words(LEAST_MINOR, invoice.document.currency)
            return OnlinePaymentUnavailable(
                f"Le reste à payer est inférieur au minimum de {least} : payez par un autre moyen indiqué sur la "
                "facture.",
                f"What is left is below the minimum of {english}: pay by another means that the invoice names.",
            )


def _hold_amount(amount_minor: int, payable_minor: int, currency: str, *, partly: bool) -> None:
    (least, english), left = amount_words(LEAST_MINOR, currency), amount_words(payable_minor, currency)
    if amount_minor > payable_minor:
        raise PaymentExceedsBalance(
            f"Il reste {left[0]} à payer sur cette facture : demandez cette somme au plus.",
            f"{left[1]} is left to pay on this invoice: ask for that at most.",
        )
    if amount_minor < payable_minor and not partly:
        raise FieldErrors(
            (
                FieldError(
                    "/amount_minor",
                    f"Le paiement partiel n'est pas proposé : payez {left[0]}.",
                    f"No partial payment is offered: pay {left[1]}.",
                ),
            )
        )
    if amount_minor < LEAST_MINOR:
        raise FieldErrors((FieldError("/amount_minor", f"Le minimum est de {least}.", f"The minimum is {english}."),))
    if 0 < payable_minor - amount_minor < LEAST_MINOR:  # nobody could pay that online
        raise FieldErrors(
            (
                FieldError(
                    "/amount_minor",
                    f"Payez tout, ou laissez au moins {least} : moins ne peut pas être payé en ligne.",
                    f"Pay all of it, or leave {english} at least: less cannot be paid online.",
                ),
            )
        )


def _rests_on(live: CheckoutAttempt, invoice: IssuedInvoice, connection: StripeConnection) -> bool:
    account = connection.account if connection.state is ConnectionState.CONNECTED else None
    return (
        account is not None and account.account_id == live.account_id and invoice.ledger.entry_count == live.ledger_rank
    )


def _refusal(attempt: CheckoutAttempt | None) -> CheckoutRefused:
    """Read by the customer, whom the state of the company's account is no business of."""
    code = attempt.failure_code if attempt else ""
    return CheckoutRefused(
        f"Payez par un autre moyen indiqué sur la facture, ou prévenez l'entreprise (motif de Stripe : {code}).",
        f"Pay by another means that the invoice names, or tell the company (Stripe's reason: {code}).",
    )

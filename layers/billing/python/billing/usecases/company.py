"""The company behind a tenant: its legal identity and its onboarding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from billing.domain.access import Caller, Permission
from billing.domain.errors import CompanyNotDescribed, FieldError, FieldErrors, OnboardingStepUnavailable, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.late_payment import minimum_late_penalty_rate
from billing.domain.numbering import DEFAULT_PATTERNS, Series
from billing.domain.parties import Company, CompanyDescription, Logo, OnboardingStep
from billing.domain.printing import company_texts, unprintable_errors
from billing.domain.typography import format_percent
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, LogoChecker
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Companies
from billing.usecases.contention import judged_anew

_OF_SERIES = {Series.INVOICE: "les factures", Series.CREDIT_NOTE: "les avoirs", Series.QUOTE: "les devis"}


def read_company(caller: Caller, *, companies: Companies) -> Company:
    """Raises: CompanyNotDescribed."""
    company = companies.read(caller)
    if company is None:
        raise CompanyNotDescribed
    return company


def describe_company(
    caller: Caller,
    description: CompanyDescription,
    *,
    expected_version: int,
    companies: Companies,
    clock: Clock,
    ids: Ids,
) -> Company:
    """Describe the company for the first time (version 0 expected) or anew.

    Raises: Forbidden, StaleVersion, FieldErrors.
    """
    caller.require(Permission.MANAGE_COMPANY)
    errors = tuple(_description_errors(description, clock.today()))
    if errors:
        raise FieldErrors(errors)
    now = clock.now()
    current = companies.read(caller)
    if (current.version if current else 0) != expected_version:
        raise StaleVersion
    if current is None:
        company = Company(
            tenant_id=caller.tenant_id,
            version=1,
            description=description,
            onboarding=OnboardingStep.PAYMENTS,
            created_at=now,
            updated_at=now,
        )
    else:
        company = replace(current, version=current.version + 1, description=description, updated_at=now)
    companies.save(caller, company, event=_described(caller, company, ids))
    return company


def upload_company_logo(
    caller: Caller,
    content: bytes,
    *,
    expected_version: int,
    companies: Companies,
    documents: Documents,
    checker: LogoChecker,
    clock: Clock,
    ids: Ids,
) -> Company:
    """The picture printed on documents issued from now on; issued ones keep theirs.

    Raises: Forbidden, CompanyNotDescribed, StaleVersion, InvalidInput (not a usable picture).
    """
    caller.require(Permission.MANAGE_COMPANY)
    current = read_company(caller, companies=companies)
    if current.version != expected_version:
        raise StaleVersion
    picture = checker.check(content)
    key = f"{caller.tenant_id}/logos/{picture.sha256}"
    documents.put(key, content, media_type=picture.media_type)
    logo = Logo(
        key=key,
        sha256=picture.sha256,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
    )
    company = replace(current, version=current.version + 1, logo=logo, updated_at=clock.now())
    companies.save(caller, company, event=_described(caller, company, ids))
    return company


def remove_company_logo(
    caller: Caller, *, expected_version: int, companies: Companies, clock: Clock, ids: Ids
) -> Company:
    """Documents issued from now on carry the name instead; issued ones keep the picture that they had.

    Raises: Forbidden, CompanyNotDescribed, StaleVersion.
    """
    caller.require(Permission.MANAGE_COMPANY)
    current = read_company(caller, companies=companies)
    if current.version != expected_version:
        raise StaleVersion
    if current.logo is None:
        return current
    company = replace(current, version=current.version + 1, logo=None, updated_at=clock.now())
    companies.save(caller, company, event=_described(caller, company, ids))
    return company


def read_company_onboarding(caller: Caller, *, companies: Companies) -> OnboardingStep:
    """The step that is next: company, then payments, then finished."""
    company = companies.read(caller)
    return company.onboarding if company else OnboardingStep.COMPANY


def advance_company_onboarding(
    caller: Caller, step: OnboardingStep, *, once: IdempotentRequest, companies: Companies, clock: Clock, ids: Ids
) -> OnboardingStep:
    """Leave a step behind: payments can be skipped and set up later. Leaving it twice changes nothing.

    Raises: Forbidden, CompanyNotDescribed, OnboardingStepUnavailable, Busy.
    """
    caller.require(Permission.MANAGE_COMPANY)

    def attempt() -> OnboardingStep:
        current = read_company(caller, companies=companies)
        if step is not OnboardingStep.PAYMENTS:
            raise OnboardingStepUnavailable
        if current.onboarding is OnboardingStep.FINISHED:
            return current.onboarding
        company = replace(
            current, version=current.version + 1, onboarding=OnboardingStep.FINISHED, updated_at=clock.now()
        )
        companies.record_onboarding(caller, company, event=_described(caller, company, ids), once=once)
        return company.onboarding

    return judged_anew(attempt, clock=clock, ids=ids)


def _description_errors(description: CompanyDescription, today: date) -> Iterator[FieldError]:
    yield from unprintable_errors(company_texts(description))
    lowest = minimum_late_penalty_rate(today)
    if description.late_penalty_rate < lowest:
        yield FieldError(
            "/late_penalty_rate",
            f"Au moins trois fois le taux d'intérêt légal, soit {format_percent(lowest)} (Code de commerce, L441-10).",
            f"At least three times the legal interest rate: {format_percent(lowest)} (Code de commerce, L441-10).",
        )
    yield from _pattern_errors(description)


def _pattern_errors(description: CompanyDescription) -> Iterator[FieldError]:
    """One number over all series of a SIREN: two patterns that print a common one are refused."""
    chosen = {
        Series.INVOICE: ("/invoice_number_pattern", description.invoice_number_pattern),
        Series.CREDIT_NOTE: ("/credit_note_number_pattern", description.credit_note_number_pattern),
        Series.QUOTE: ("/quote_number_pattern", description.quote_number_pattern),
    }
    for series, (pointer, pattern) in chosen.items():
        for other, (_, theirs) in chosen.items():
            shared = None if other is series else pattern.shared_number(theirs)
            # The one that is not the usual one is at fault.
            if shared is None or pattern == DEFAULT_PATTERNS[series]:
                continue
            yield FieldError(
                pointer,
                f"Ce format donnerait les mêmes numéros que {_OF_SERIES[other]} ({theirs.text}), ainsi {shared}.",
                f"This pattern would print numbers of another series ({theirs.text}), such as {shared}.",
            )


def _described(caller: Caller, company: Company, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=EventType.COMPANY_DESCRIBED,
        occurred_at=company.updated_at,
        actor=caller.user_id,
        data={"version": company.version, "onboarding": company.onboarding.value},
    )

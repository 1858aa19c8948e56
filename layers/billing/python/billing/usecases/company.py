"""The company behind a tenant: its legal identity and its onboarding."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.errors import CompanyNotDescribed, OnboardingStepUnavailable, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.parties import Company, CompanyDescription, Logo, OnboardingStep
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, LogoChecker
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Companies


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

    Raises: Forbidden, StaleVersion.
    """
    caller.require(Permission.MANAGE_COMPANY)
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


def read_company_onboarding(caller: Caller, *, companies: Companies) -> OnboardingStep:
    """The step that is next: company, then payments, then finished."""
    company = companies.read(caller)
    return company.onboarding if company else OnboardingStep.COMPANY


def advance_company_onboarding(
    caller: Caller, step: OnboardingStep, *, once: IdempotentRequest, companies: Companies, clock: Clock, ids: Ids
) -> OnboardingStep:
    """Leave a step behind: payments can be skipped and set up later. Leaving it twice changes nothing.

    Raises: Forbidden, CompanyNotDescribed, OnboardingStepUnavailable.
    """
    caller.require(Permission.MANAGE_COMPANY)
    current = read_company(caller, companies=companies)
    if step is not OnboardingStep.PAYMENTS:
        raise OnboardingStepUnavailable
    if current.onboarding is OnboardingStep.FINISHED:
        return current.onboarding
    company = replace(current, version=current.version + 1, onboarding=OnboardingStep.FINISHED, updated_at=clock.now())
    companies.record_onboarding(caller, company, event=_described(caller, company, ids), once=once)
    return company.onboarding


def _described(caller: Caller, company: Company, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=EventType.COMPANY_DESCRIBED,
        occurred_at=company.updated_at,
        actor=caller.user_id,
        data={"version": company.version, "onboarding": company.onboarding.value},
    )

"""Search over invoices, credit notes, quotes and products. Raises, each of them: FieldErrors."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.search import document_terms
from billing.ports.credit_notes import CreditNoteSummary
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteSummary
from billing.ports.repositories import InvoiceSummary, ProductSummary
from billing.ports.search import Search


def search_invoices(caller: Caller, query: str, page: PageRequest, *, search: Search) -> Page[InvoiceSummary]:
    """By number, customer, amount, order or buyer reference; drafts among them."""
    return search.invoices(caller, _terms(caller, query), page)


def search_credit_notes(caller: Caller, query: str, page: PageRequest, *, search: Search) -> Page[CreditNoteSummary]:
    """By their own number, the invoice's, customer or amount."""
    return search.credit_notes(caller, _terms(caller, query), page)


def search_quotes(caller: Caller, query: str, page: PageRequest, *, search: Search) -> Page[QuoteSummary]:
    return search.quotes(caller, _terms(caller, query), page)


def search_products(caller: Caller, query: str, page: PageRequest, *, search: Search) -> Page[ProductSummary]:
    """By name, reference or price; archived ones among them."""
    return search.products(caller, _terms(caller, query), page)


def _terms(caller: Caller, query: str) -> tuple[str, ...]:
    caller.require(Permission.READ)
    terms = document_terms(query)
    if not terms:
        raise FieldErrors(
            (FieldError("/q", "Saisissez au moins une lettre ou un chiffre.", "Type at least a letter or a digit."),)
        )
    return terms

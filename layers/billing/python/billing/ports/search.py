"""Documents and products by the beginnings of their words, numbers and amounts."""

from __future__ import annotations

from typing import Protocol

from billing.domain.access import Caller
from billing.ports.credit_notes import CreditNoteSummary
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteSummary
from billing.ports.repositories import InvoiceSummary, ProductSummary


class Search(Protocol):
    """Two requests each: those having, for each term, a word that begins with it. A page may be short of its limit."""

    def invoices(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[InvoiceSummary]: ...

    def credit_notes(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[CreditNoteSummary]: ...

    def quotes(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[QuoteSummary]: ...

    def products(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[ProductSummary]: ...

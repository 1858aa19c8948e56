"""The judgement of an issued document: once, kept beside it, by the rules of its date; what fails is never sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.domain.attachments import checked
from billing.domain.conformity import RULE_SETS, ConformityReport, Judge, RuleSet, Violation, report_key, rules_of
from billing.domain.deliverable import Deliverable
from billing.domain.errors import DependencyUnavailable, DocumentDamaged, InvoiceNotIssued, NotFound, PdfNotReady
from billing.usecases.conformity import judge_invoice, read_invoice_conformity
from tests.fakes.delivery import FakeConformityRules, fake_xml
from tests.usecases.conftest import Shop
from tests.usecases.test_quotes import Desk

BROKEN = Violation(
    judge=Judge.EN_16931,
    rule="BR-CO-16",
    location="/CrossIndustryInvoice",
    text="[BR-CO-16]-Amount due for payment (BT-115) = total (BT-112) - paid (BT-113).",
)


def judge(shop: Shop, issued: Deliverable, rules: FakeConformityRules | None = None) -> ConformityReport:
    return judge_invoice(
        issued.tenant_id,
        issued.document_id,
        deliveries=shop.repositories.deliveries,
        documents=shop.documents,
        xml=fake_xml,
        rules=rules or FakeConformityRules(),
    )


def read(shop: Shop, invoice_id: str) -> ConformityReport:
    return read_invoice_conformity(
        shop.caller, invoice_id, invoices=shop.repositories.invoices, documents=shop.documents
    )


def test_a_document_is_judged_once_and_the_report_stands(shop: Shop) -> None:
    issued = shop.issue()
    shop.render(issued)
    rules = FakeConformityRules()

    first = judge(shop, issued, rules)
    again = judge(shop, issued, replace(rules, broken=(BROKEN,)))

    assert first.conforms
    assert again == first == read(shop, issued.invoice_id)
    assert rules.asked == 1
    assert (first.document_hash, first.rules) == (issued.document_hash, RULE_SETS[0].name)
    pdf = shop.stored(issued).delivery.pdf
    assert pdf is not None
    assert first.pdf_sha256 == pdf.sha256
    assert shop.documents.media_types[report_key(pdf.key, RULE_SETS[0])] == "application/json"


def test_the_pdf_its_report_and_its_attachments_are_kept_as_long_as_the_law_asks(shop: Shop) -> None:
    content = b"a;b\n1;2\n"
    attached = checked(shop.caller.tenant_id, "exemple.csv", content)
    shop.documents.put(attached.key, content, media_type="text/csv")
    draft = shop.draft()
    held = draft.holding((attached,), at=shop.clock.now())
    shop.repositories.store.invoices[draft.tenant_id, draft.invoice_id] = held
    issued = shop.issue(held)
    shop.render(issued)
    judge(shop, issued)
    quote = Desk(shop).sent()

    pdf = shop.stored(issued).delivery.pdf
    assert pdf is not None
    assert shop.documents.kept_until == dict.fromkeys(
        (pdf.key, report_key(pdf.key, RULE_SETS[0]), attached.key), date(2037, 12, 1)
    )
    assert quote.delivery.pdf is not None


def test_what_is_broken_is_kept_and_explained_by_field(shop: Shop) -> None:
    issued = shop.issue()
    shop.render(issued)

    judge(shop, issued, FakeConformityRules(broken=(BROKEN,)))
    report = read(shop, issued.invoice_id)

    assert not report.conforms
    assert report.violations == (BROKEN,)
    assert BROKEN.terms == ("BT-115", "BT-112", "BT-113")
    assert BROKEN.explained.startswith(
        "Règle BR-CO-16 : vérifiez montant à payer (BT-115), total avec TVA (BT-112), montant déjà payé (BT-113)."
    )


def test_a_crash_before_the_report_is_kept_judges_again_to_the_same_bytes(shop: Shop) -> None:
    issued = shop.issue()
    shop.render(issued)
    first = judge(shop, issued)
    key = next(key for key in shop.documents.stored if key.endswith(".json"))
    kept = shop.documents.stored.pop(key)

    assert judge(shop, issued) == first
    assert shop.documents.stored[key] == kept


def test_nothing_is_judged_before_it_is_rendered_and_nothing_that_is_gone(shop: Shop) -> None:
    issued = shop.issue()

    with pytest.raises(DependencyUnavailable):
        judge(shop, issued)
    with pytest.raises(PdfNotReady):
        read(shop, issued.invoice_id)
    shop.render(issued)
    with pytest.raises(PdfNotReady):
        read(shop, issued.invoice_id)
    shop.documents.stored.clear()
    with pytest.raises(NotFound):
        judge(shop, issued)
    with pytest.raises(InvoiceNotIssued):
        read(shop, shop.draft().invoice_id)


def test_bytes_that_are_not_those_that_were_drawn_are_neither_judged_nor_sent(shop: Shop) -> None:
    issued = shop.issue(send=True)
    shop.render(issued)
    pdf = shop.stored(issued).delivery.pdf
    assert pdf is not None
    shop.documents.stored[pdf.key] += b" "

    with pytest.raises(DocumentDamaged):
        judge(shop, issued)
    with pytest.raises(DocumentDamaged):
        shop.mail(issued)
    assert shop.mailer.accepted == []
    assert report_key(pdf.key, RULE_SETS[0]) not in shop.documents.stored


def test_a_document_is_judged_by_the_rules_of_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = RuleSet(name="factur-x-2", since=date(2027, 1, 1))
    monkeypatch.setattr("billing.domain.conformity.RULE_SETS", (newer, *RULE_SETS))

    assert rules_of(date(2026, 12, 31)) == RULE_SETS[0]
    assert rules_of(date(2027, 1, 1)) == newer

"""Every sample document is a valid Factur-X: XSD, EN 16931, BR-FR, PDF; and says the same in its text and its XML."""

from __future__ import annotations

import functools
import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pikepdf
import pytest

from billing.adapters.facturx import rules
from billing.adapters.facturx.embedding import FILE_NAME, factur_x
from billing.adapters.facturx.rules import FacturXRules, judge_xml
from billing.adapters.pdf import wording
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.conformity import RULE_SETS, Judge, rules_of
from billing.domain.invoice import IssuedInvoice
from billing.domain.money import to_minor
from tests.adapters.pdf.reading import opened, plain, words
from tests.documents import SAMPLES

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
RULES = RULE_SETS[0]
CONTRACTS = Path(os.environ.get("ZENBILLING_CONTRACTS", "../shared/contracts")) / "france_rfe" / "cii"


@functools.cache
def _drawn(name: str) -> tuple[IssuedInvoice, bytes, bytes]:
    """The document, its XML, its PDF."""
    issued = SAMPLES[name]()
    pdf = PdfDocumentRenderer(factur_x).render(issued, logo=None)
    return issued, factur_x(issued.document).content, pdf


def test_there_are_enough_samples_and_no_two_are_alike() -> None:
    written = {_drawn(name)[1] for name in SAMPLES}

    assert len(written) == len(SAMPLES) >= 40


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_breaks_no_rule(name: str) -> None:
    issued, xml, pdf = _drawn(name)

    assert FacturXRules().judge(xml, pdf, rules_of(issued.document.issue_date)) == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_xml_comes_out_of_the_pdf_as_it_went_in(name: str) -> None:
    _, xml, pdf = _drawn(name)

    with opened(pdf) as document:
        (attached,) = document.Root.AF
        assert str(attached.UF) == FILE_NAME
        assert attached.AFRelationship == pikepdf.Name.Alternative
        assert attached.EF.F.read_bytes() == xml


@pytest.mark.parametrize("name", SAMPLES)
def test_the_totals_that_are_printed_are_those_of_the_xml(name: str) -> None:
    issued, xml, pdf = _drawn(name)
    tree = ET.fromstring(xml)  # noqa: S314 - our own
    document = issued.document
    tongue, printed = document.particulars.tongue, f" {words(pdf)} "
    labels = {
        "TaxBasisTotalAmount": tongue.say("Total HT"),
        "TaxTotalAmount": tongue.say("TVA"),
        "GrandTotalAmount": wording.total_label(document),
        "TotalPrepaidAmount": tongue.say("Déjà réglé"),
    }

    for element, label in labels.items():
        found = tree.findall(f".//{RAM}{element}")
        if not found:
            assert element == "TotalPrepaidAmount"
            continue
        minor = to_minor(Decimal(found[0].text or ""))
        amount = tongue.money(-minor if element == "TotalPrepaidAmount" else minor)
        assert f" {plain(label)} {plain(amount)} " in printed, element
    due = to_minor(Decimal(tree.findtext(f".//{RAM}DuePayableAmount") or ""))
    retained = document.retention.amount_minor if document.retention else 0
    assert f" {plain(tongue.money(due - retained))} " in printed


def test_the_same_document_gives_the_same_xml() -> None:
    assert {factur_x(SAMPLES["several-rates"]().document).content for _ in range(3)} == {_drawn("several-rates")[1]}


@pytest.fixture(scope="module")
def official() -> Any:
    """The sheets that the reform publishes, which differ a little from those inside of the package."""
    if not CONTRACTS.is_dir():
        pytest.skip("the official rules are not on this machine: set ZENBILLING_CONTRACTS")
    compiler = rules._saxon().new_xslt30_processor()
    names = ("EN16931-CII-validation.xslt", "BR-FR-Flux2-Schematron-CII.xslt")
    return [compiler.compile_stylesheet(stylesheet_file=str(CONTRACTS / name)) for name in names]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_breaks_no_rule_of_the_official_sheets(name: str, official: Any) -> None:
    _, xml, _ = _drawn(name)

    broken = [
        violation
        for judge, sheet in zip((Judge.EN_16931, Judge.BR_FR), official, strict=True)
        for violation in rules._broken(judge, sheet, xml)
    ]

    assert broken == []


def test_a_sheet_that_looks_at_nothing_is_no_approval() -> None:
    """factur-x skips its rules without its server and says that all is well: here silence is a violation."""
    other = b'<?xml version="1.0"?><other xmlns="urn:other"/>'
    sheet = rules._judges(RULES.name)[2]

    assert [violation.rule for violation in rules._broken(Judge.BR_FR, sheet, other)] == ["NOT-JUDGED"]
    assert judge_xml(other, RULES.name)[0].judge is Judge.SCHEMA


def test_an_entity_is_not_resolved() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'

    assert b"root:" not in repr(judge_xml(bomb, RULES.name)).encode()

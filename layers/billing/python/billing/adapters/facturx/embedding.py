"""Factur-X: the XML as its PDF carries it, under the name and with the metadata that the standard gives."""

from __future__ import annotations

from typing import Final

from billing.adapters.facturx.cii import cii
from billing.domain.invoice import InvoiceDocument
from billing.ports.delivery import EmbeddedXml

FILE_NAME: Final = "factur-x.xml"
CONFORMANCE_LEVEL: Final = "EN 16931"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", "The name of the embedded XML document"),
    ("DocumentType", "The type of the hybrid document in capital letters"),
    ("Version", "The actual version of the standard applying to the embedded XML document"),
    ("ConformanceLevel", "The conformance level of the embedded XML document"),
)


def factur_x(document: InvoiceDocument) -> EmbeddedXml:
    return EmbeddedXml(
        name=FILE_NAME,
        content=cii(document),
        description=f"Factur-X {CONFORMANCE_LEVEL}: {document.number}",
        metadata=_METADATA,
    )


def _property(name: str, description: str) -> str:
    return (
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
    )


# The values, and the schema that PDF/A wants of whatever properties it does not know (ISO 19005-3, 6.6.2.3.2).
_METADATA: Final = (
    f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">'
    f"<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{FILE_NAME}</fx:DocumentFileName>"
    f"<fx:Version>1.0</fx:Version><fx:ConformanceLevel>{CONFORMANCE_LEVEL}</fx:ConformanceLevel></rdf:Description>\n"
    '<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    ' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
    '<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">'
    f"<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
    f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
    f"<pdfaSchema:property><rdf:Seq>{''.join(_property(*each) for each in _PROPERTIES)}</rdf:Seq></pdfaSchema:property>"
    "</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>\n"
)

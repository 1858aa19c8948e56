"""What writes the XML of a document. Apart from what draws and what judges: each imports no more than it needs."""

from __future__ import annotations

from billing.adapters.facturx.embedding import factur_x
from billing.ports.delivery import XmlWriter


def xml_writer() -> XmlWriter:
    return factur_x

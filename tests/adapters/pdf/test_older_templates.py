"""What was drawn by an older template is drawn the same for ever: a lost file is made again and proven equal.

``shown.json`` keeps, for each template version, what each sample showed: the SHA-256 of its page contents and XML, as
they are before compression, and from the third generation on of its metadata too. A document is never added to a
version that is closed; a line never changes. What is to look otherwise is a new generation.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.invoice import IssuedInvoice
from billing.domain.template import GENERATION, Design, Template
from tests.documents import SAMPLES

WITH_METADATA = 3
SHOWN: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("shown.json").read_text())


@pytest.mark.parametrize(
    ("version", "name"), [(version, name) for version, samples in SHOWN.items() for name in samples]
)
def test_an_older_document_is_drawn_as_it_was(version: str, name: str) -> None:
    issued = SAMPLES[name]()
    assert shown(replace(issued, document=replace(issued.document, template_version=version))) == SHOWN[version][name]


def test_what_is_issued_today_is_held_too() -> None:
    assert {Template(design=design).version for design in Design} <= SHOWN.keys(), f"generation {GENERATION} is open"


def shown(issued: IssuedInvoice) -> str:
    digest = hashlib.sha256()
    with pikepdf.open(io.BytesIO(PdfDocumentRenderer(factur_x).render(issued, logo=None))) as pdf:
        for page in pdf.pages:
            digest.update(page.Contents.read_bytes())
        for attached in pdf.attachments.values():
            digest.update(attached.get_file().read_bytes())
        if Template.of(issued.document.template_version).generation >= WITH_METADATA:
            digest.update(pdf.Root.Metadata.read_bytes())
    return digest.hexdigest()

"""What an export carries so that it can be verified far from here: names, formats, and what is said to its reader.

The verifier (``billing.adapters.verifier.verify_export``) knows the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from billing.domain.bulk import BulkJob, BulkResult
from billing.domain.canonical import canonical_json
from billing.domain.feed import FeedHead

FORMAT: Final = "zenbilling-export-1"
FOLDER: Final = "preuves"
MANIFEST: Final = f"{FOLDER}/manifeste.json"
CHAIN: Final = f"{FOLDER}/chaine.jsonl"
HEADS: Final = f"{FOLDER}/tetes.jsonl"
VERIFIER: Final = "verifier.py"
READ_ME: Final = "LISEZMOI.txt"

READ_ME_TEXT: Final = """\
Export de ZenBilling
====================

Chaque facture et chaque avoir est un PDF Factur-X : ce que vous lisez, et le même document en XML pour les logiciels.

Pour vérifier cet export, sur n'importe quel ordinateur avec Python 3.9 ou plus récent, sans Internet :

    python verifier.py

Le dossier « preuves » contient, pour chaque document, le texte figé à son émission, les inscriptions de la chaîne de
votre entreprise pendant la période, et les têtes de cette chaîne archivées chaque jour. Le vérificateur recalcule
toutes les empreintes : un seul octet changé dans un PDF, un XML, un texte ou une inscription se voit.

Gardez cet export : les têtes d'un export plus récent doivent rester les mêmes.

--------------------------------------------------------------------------------------------------------------------

ZenBilling export. To verify it on any computer with Python 3.9 or newer, offline:

    python verifier.py --english
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenDocument:
    """A document of an export: its PDF's name in it, and the name of its frozen text."""

    result: BulkResult
    pdf: str

    @property
    def text(self) -> str:
        return f"{FOLDER}/documents/{self.pdf.removesuffix('.pdf')}.json"


def manifest(job: BulkJob, documents: Sequence[ProvenDocument], *, after: FeedHead, last: FeedHead) -> str:
    """``after``: the place that the chain's extract follows; ``last``: its last place."""
    return canonical_json(
        {
            "format": FORMAT,
            "tenant_id": job.tenant_id,
            "bulk_job_id": job.bulk_job_id,
            "started_at": job.started_at,
            "chain": {
                "after": {"sequence": after.sequence, "chain_hash": after.chain_hash},
                "last": {"sequence": last.sequence, "chain_hash": last.chain_hash},
            },
            "documents": [
                {
                    "document_id": one.result.document_id,
                    "number": one.result.number,
                    "pdf": one.pdf,
                    "text": one.text,
                }
                for one in documents
            ],
        }
    )

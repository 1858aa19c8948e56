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

    python -I verifier.py

Le dossier « preuves » contient le texte figé de chaque facture et de chaque avoir, les inscriptions de la chaîne de
votre entreprise pendant la période, et les têtes de cette chaîne archivées chaque jour. Le vérificateur recalcule
toutes les empreintes : un seul octet changé dans un PDF, un XML, un texte ou une inscription se voit, et tout fichier
qui n'appartient pas à l'export aussi. N'ajoutez donc rien à ce dossier.

Gardez cet export. Avec le suivant, il prouve que rien de ce qu'il montre n'a été récrit depuis :

    python -I verifier.py --avec ancien-export.zip

Le suivant doit passer par chaque inscription que les deux montrent, par les têtes et par la dernière inscription de
l'ancien, et les documents qui sont dans les deux doivent être les mêmes. Pour ne rien devoir à celui qui vous remet un
export, lancez le vérificateur d'un export que vous aviez déjà : python -I verifier.py nouvel-export.zip

Ni ce texte, ni le vérificateur lui-même ne sont prouvés.

--------------------------------------------------------------------------------------------------------------------

ZenBilling export. To verify it on any computer with Python 3.9 or newer, offline, alone or with an older export:

    python -I verifier.py --english
    python -I verifier.py --english --with older-export.zip
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenDocument:
    """A document of an export: its PDF's name in it, and the name of its frozen text.

    The PDF of a quote is proven by the event of its rendering alone: its text is not exported.
    """

    result: BulkResult
    pdf: str

    @property
    def text(self) -> str:
        return "" if self.result.is_quote else f"{FOLDER}/documents/{self.pdf.removesuffix('.pdf')}.json"


def manifest(job: BulkJob, documents: Sequence[ProvenDocument], *, after: FeedHead, last: FeedHead) -> str:
    """``after``: the place that the chain's extract follows; ``last``: its last place.

    ``documents``: all of the export, in their order; the verifier makes their names again from their numbers.
    """
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
                    "sha256": one.result.pdf_sha256,
                    **({"text": one.text} if one.text else {}),
                }
                for one in documents
            ],
        }
    )

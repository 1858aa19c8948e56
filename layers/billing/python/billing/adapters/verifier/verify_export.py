"""Vérifie un export de ZenBilling, sans Internet et sans rien installer : Python 3.9 ou plus récent suffit.

    python verifier.py                    l'export dans lequel ce fichier se trouve
    python verifier.py documents.zip      un export compressé, ou son dossier
    python verifier.py --english …        says the same in English

Ce qui est prouvé : chaque facture et chaque avoir (son texte, son PDF, le XML qu'il contient) est bien celui que la
chaîne a inscrit ; aucune inscription n'a été changée, ajoutée ni retirée ; la chaîne passe par les têtes qui ont été
archivées chaque jour, et que vous pouvez comparer à celles d'un export plus ancien.

Verifies an export of ZenBilling: each document is the one that the hash chain recorded, and the chain is whole.
The exit code is 0 when everything is as it was recorded, 1 when something is not, 2 when there is no export to read.
"""

# It runs far from its repository, on whatever Python a company has: the standard library only, and nothing recent.
from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = "zenbilling-export-1"
PROOFS = "preuves/"
MANIFEST = PROOFS + "manifeste.json"
CHAIN = PROOFS + "chaine.jsonl"
HEADS = PROOFS + "tetes.jsonl"
_EMBEDDED = re.compile(rb"/Type\s*/EmbeddedFile\b.{0,200}?stream\r?\n", re.DOTALL)
_NUMBER = re.compile(r"<ram:ID>([^<]*)</ram:ID>")
_TOTAL = re.compile(r"<ram:GrandTotalAmount>([^<]*)</ram:GrandTotalAmount>")
_RECORDED = ("invoice.issued", "credit_note.issued")
_RENDERED = "invoice.pdf_rendered"

Json = dict[str, Any]


class Unreadable(Exception):
    """There is no export to verify."""


class Report:
    """What is right, and what is not, in the language asked for."""

    def __init__(self, *, english: bool) -> None:
        self._english = english
        self.wrong = 0

    def say(self, french: str, english: str) -> None:
        print(english if self._english else french)  # noqa: T201

    def fault(self, subject: str, french: str, english: str) -> None:
        self.wrong += 1
        self.say(f"  ERREUR  {subject} : {french}", f"  ERROR   {subject}: {english}")


class Export:
    """The files of an export by their names in it, from its ZIP or its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            found = [one for one in path.rglob("*") if one.is_file()]
            self.names = sorted(one.relative_to(path).as_posix() for one in found)
        else:
            try:
                self._zip = zipfile.ZipFile(path)
            except (OSError, zipfile.BadZipFile) as error:
                raise Unreadable(str(error)) from error
            self.names = sorted(self._zip.namelist())
        if MANIFEST not in self.names:
            raise Unreadable(MANIFEST)

    def read(self, name: str) -> bytes:
        if self._zip is not None:
            return self._zip.read(name)
        return (self.path / name).read_bytes()

    def lines(self, name: str) -> list[bytes]:
        return [line for line in self.read(name).split(b"\n") if line]


class Chain:
    """The places of the chain in their order: what each says, and the hash that the next one holds."""

    def __init__(self, places: list[Json], hashes: list[str]) -> None:
        self.hashes = {place["sequence"]: hashes[rank] for rank, place in enumerate(places)}
        self.issued: dict[str, Json] = {}
        self.rendered: dict[str, Json] = {}
        for place in places:
            if place["event_type"] in _RECORDED:
                self.issued[place["subject_id"]] = place
            elif place["event_type"] == _RENDERED:
                self.rendered[place["subject_id"]] = place


def main(arguments: list[str]) -> int:
    wanted = [one for one in arguments if one != "--english"]
    report = Report(english="--english" in arguments)
    path = Path(wanted[0]) if wanted else Path(__file__).resolve().parent
    try:
        verify(Export(path), report)
    except (Unreadable, OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        report.say(f"{path} : ce n'est pas un export lisible ({error}).", f"{path}: no readable export ({error}).")
        return 2
    if report.wrong:
        report.say(
            f"\nL'export n'est PAS intact : {report.wrong} erreur(s).", f"\nNOT intact: {report.wrong} error(s)."
        )
        return 1
    report.say("\nL'export est intact.", "\nThe export is intact.")
    return 0


def verify(export: Export, report: Report) -> None:
    manifest: Json = json.loads(export.read(MANIFEST).decode())
    if manifest.get("format") != FORMAT:
        raise Unreadable(f"format {manifest.get('format')}")
    report.say(f"Export {export.path}", f"Export {export.path}")
    chain = _chain(export, manifest, report)
    _heads(export, manifest, chain, report)
    _documents(export, manifest, chain, report)
    _files(export, manifest, report)


def _chain(export: Export, manifest: Json, report: Report) -> Chain:
    """Each line is hashed as it stands; the next one must hold that hash."""
    start, end = manifest["chain"]["after"], manifest["chain"]["last"]
    lines = export.lines(CHAIN)
    places: list[Json] = [json.loads(line.decode()) for line in lines]
    hashes = [hashlib.sha256(line).hexdigest() for line in lines]
    sequence, previous = start["sequence"], start["chain_hash"]
    if sequence == 0 and previous != _genesis(manifest["tenant_id"]):
        report.fault(CHAIN, "la chaîne n'est pas celle de cette entreprise", "the chain is another company's")
    broken = 0
    for rank, place in enumerate(places):
        if place["sequence"] != sequence + 1:
            broken += 1
            report.fault(
                CHAIN,
                f"l'inscription {sequence + 1} manque ({place['sequence']} trouvée)",
                f"place {sequence + 1} is missing ({place['sequence']} found)",
            )
        elif place["previous_hash"] != previous:
            broken += 1
            report.fault(
                CHAIN,
                f"l'inscription {place['sequence']} ne suit pas la précédente : l'une des deux a été changée",
                f"place {place['sequence']} does not follow the one before: one of them was changed",
            )
        sequence, previous = place["sequence"], hashes[rank]
    if (sequence, previous) != (end["sequence"], end["chain_hash"]):
        broken += 1
        report.fault(CHAIN, f"elle ne finit pas à l'inscription {end['sequence']}", f"not up to {end['sequence']}")
    if not broken:
        report.say(
            f"  chaîne      {_many(places, 'inscription')}, de {start['sequence'] + 1} à {sequence}, sans rupture",
            f"  chain       {_many(places, 'place')}, {start['sequence'] + 1} to {sequence}, unbroken",
        )
    return Chain(places, hashes)


def _heads(export: Export, manifest: Json, chain: Chain, report: Report) -> None:
    """The daily heads pin the chain from outside: it must pass through each of them."""
    heads: list[Json] = [json.loads(line.decode()) for line in export.lines(HEADS)]
    known = dict(chain.hashes)
    start = manifest["chain"]["after"]
    known[start["sequence"]] = start["chain_hash"]
    wrong = 0
    for head in heads:
        if head["tenant_id"] != manifest["tenant_id"] or known.get(head["sequence"]) != head["chain_hash"]:
            wrong += 1
            report.fault(
                HEADS,
                f"la chaîne ne passe pas par l'inscription {head['sequence']}, archivée pour le {head['day']}",
                f"the chain does not pass through place {head['sequence']}, archived for {head['day']}",
            )
    if heads and not wrong:
        first, last = heads[0]["day"], heads[-1]["day"]
        kept = _many(heads, "tête archivée", "têtes archivées")
        report.say(
            f"  têtes       la chaîne passe par {kept}, du {first} au {last}",
            f"  heads       the chain passes through {_many(heads, 'archived head')}, {first} to {last}",
        )
    if not heads:
        report.say(
            "  têtes       aucune encore : la tête d'un jour est archivée la nuit suivante",
            "  heads       none yet: the head of a day is archived in the night that follows",
        )


def _documents(export: Export, manifest: Json, chain: Chain, report: Report) -> None:
    """Text, PDF and XML of each document against what the chain says of it, and against each other."""
    texts: dict[tuple[str, int, int], tuple[str, Json]] = {}
    right = 0
    for listed in manifest["documents"]:
        before = report.wrong
        missing = [name for name in (listed["pdf"], listed["text"]) if name not in export.names]
        for name in missing:
            report.fault(name, "le fichier manque", "the file is missing")
        if not missing:
            content = export.read(listed["text"])
            document = json.loads(content.decode())
            texts[document["series"], document["year"], document["rank"]] = (
                hashlib.sha256(content).hexdigest(),
                document,
            )
            _document(listed, content, document, export.read(listed["pdf"]), chain, report)
        right += report.wrong == before
    _series(texts, report)
    _others(manifest, chain, report)
    report.say(
        f"  documents   {right} sur {len(manifest['documents'])} : texte, PDF et XML sont ceux de la chaîne",
        f"  documents   {right} of {len(manifest['documents'])}: text, PDF and XML are those of the chain",
    )


def _document(listed: Json, text: bytes, document: Json, pdf: bytes, chain: Chain, report: Report) -> None:
    issued, rendered = chain.issued.get(listed["document_id"]), chain.rendered.get(listed["document_id"])
    number = listed["number"]
    if issued is None or rendered is None:
        report.fault(number, "la chaîne n'en dit rien", "the chain does not know it")
        return

    def same(found: object, expected: object, subject: str, french: str, english: str) -> None:
        if found != expected:
            report.fault(subject, french, english)

    said, shown = issued["data"], rendered["data"]
    digest = hashlib.sha256(text).hexdigest()
    same(digest, said.get("document_hash"), listed["text"], "le texte a été changé", "the text was changed")
    same(digest, shown.get("document_hash"), listed["text"], "le PDF en montre un autre", "the PDF shows another one")
    same(document["invoice_id"], listed["document_id"], listed["text"], "c'est un autre document", "another document")
    same(document["number"], said.get("number"), listed["text"], "le numéro diffère", "the number differs")
    total = document["totals"]["total_minor"]
    same(total, said.get("total_minor"), listed["text"], "le total diffère", "the total differs")
    bytes_of = hashlib.sha256(pdf).hexdigest()
    same(bytes_of, shown.get("sha256"), listed["pdf"], "le PDF a été changé", "the PDF was changed")
    _xml(listed["pdf"], pdf, document, shown, same)


def _xml(
    name: str, pdf: bytes, document: Json, shown: Json, same: Callable[[object, object, str, str, str], None]
) -> None:
    xml = embedded_xml(pdf)
    found = hashlib.sha256(xml).hexdigest() if xml is not None else None
    same(found, shown.get("xml_sha256"), name, "le XML qu'il contient a été changé", "the XML within was changed")
    if xml is None:
        return
    text = xml.decode()
    numbers, totals = _NUMBER.findall(text), _TOTAL.findall(text)
    minor = [int(total.replace(".", "")) for total in totals]
    same(document["number"] in numbers, True, name, "le XML a un autre numéro", "the XML has another number")
    same(minor, [document["totals"]["total_minor"]], name, "le XML a un autre total", "the XML has another total")


def embedded_xml(pdf: bytes) -> bytes | None:
    """The file that a PDF of ours carries."""
    found = _EMBEDDED.search(pdf)
    if found is None:
        return None
    try:
        return zlib.decompressobj().decompress(pdf[found.end() :])
    except zlib.error:
        return None


def _series(texts: dict[tuple[str, int, int], tuple[str, Json]], report: Report) -> None:
    """Each document of a series holds the hash of the one before it, where both are in the export."""
    for (series, year, rank), (_, document) in sorted(texts.items()):
        before = texts.get((series, year, rank - 1))
        if before is not None and document["previous_hash"] != before[0]:
            report.fault(
                document["number"],
                f"il ne suit pas {before[1]['number']} : l'un des deux a été changé",
                f"it does not follow {before[1]['number']}: one of them was changed",
            )


def _others(manifest: Json, chain: Chain, report: Report) -> None:
    """What the chain recorded meanwhile and the export does not hold: it was not asked for, or somebody removed it."""
    held = {listed["document_id"] for listed in manifest["documents"]}
    others = sorted(place["data"]["number"] for name, place in chain.issued.items() if name not in held)
    if others:
        named = f"{', '.join(others[:8])}{'…' if others[8:] else ''}"
        report.say(
            f"  absents     {_many(others, 'document')} de la même période, hors de cet export : {named}",
            f"  absent      {_many(others, 'document')} of the same period, not in this export: {named}",
        )


def _files(export: Export, manifest: Json, report: Report) -> None:
    """Nothing else lies among the proofs; what lies beside them is said, for it is not proven."""
    proven = {name for listed in manifest["documents"] for name in (listed["pdf"], listed["text"])}
    for name in export.names:
        if name.startswith(PROOFS) and name not in proven | {MANIFEST, CHAIN, HEADS}:
            report.fault(name, "ce fichier n'a rien à faire là", "this file does not belong here")
    others = [name for name in export.names if name.lower().endswith(".pdf") and name not in proven]
    if others:
        report.say(
            f"  non prouvés {len(others)} PDF (devis) : {', '.join(others[:5])}{'…' if others[5:] else ''}",
            f"  unproven    {_many(others, 'PDF')} (quotes): {', '.join(others[:5])}{'…' if others[5:] else ''}",
        )


def _many(things: list[Any], one: str, several: str = "") -> str:
    return f"{len(things)} {one if len(things) < 2 else several or one + 's'}"


def _genesis(tenant_id: str) -> str:
    return hashlib.sha256(f"zenbilling:{tenant_id}".encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

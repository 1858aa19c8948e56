"""Vérifie un export de ZenBilling, sans Internet et sans rien installer : Python 3.9 ou plus récent suffit.

    python -I verifier.py                         l'export dans lequel ce fichier se trouve
    python -I verifier.py documents.zip           un export compressé, ou son dossier
    python -I verifier.py --avec ancien.zip …     le compare aussi à un export plus ancien (un ZIP ou un dossier)
    python -I verifier.py --english …             says the same in English (--with older.zip)

Ce qui est prouvé : chaque facture et chaque avoir (son texte, son PDF, le XML qu'il contient) et chaque PDF de devis
est bien celui que la chaîne a inscrit, sous le nom de son numéro ; aucune inscription n'a été changée, ajoutée ni
retirée jusqu'à la dernière tête archivée par laquelle la chaîne passe ; aucun autre fichier ne se trouve dans l'export.
Avec un export plus ancien : rien de ce que les deux montrent n'a été récrit entre-temps.

Ce qui ne l'est pas : ce programme et LISEZMOI.txt ; ce qui suit la dernière tête, avant que la suivante ne le fixe ; ni
qu'un export contienne tous les documents : ceux que la chaîne connaît et qu'il n'a pas sont nommés.

Verifies an export of ZenBilling: each document is the one that the hash chain recorded, and the chain is whole.
The exit code is 0 when everything is as it was recorded, 1 when something is not, 2 when there is no export to read.
"""

# It runs far from its repository, on whatever Python a company has: the standard library only, and nothing recent;
# no import from __future__ either, which is a file that would be looked for beside this one first.

import sys

if __name__ == "__main__":
    # Python looks for modules beside the program before anywhere else: a json.py in an export would be run.
    _here = {__file__.replace("\\", "/").rpartition("/")[0]}
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        _here.add(sys.path[0].replace("\\", "/").rstrip("/"))
    sys.path[:] = [
        one
        for one in sys.path
        if (one.startswith(("/", "\\")) or one[1:2] == ":") and one.replace("\\", "/").rstrip("/") not in _here
    ]

import hashlib
import json
import os
import re
import zipfile
import zlib
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "zenbilling-export-1"
PROOFS = "preuves/"
MANIFEST = PROOFS + "manifeste.json"
CHAIN = PROOFS + "chaine.jsonl"
HEADS = PROOFS + "tetes.jsonl"
BESIDE = ("verifier.py", "LISEZMOI.txt")
LIMIT = 64 << 20  # of a file, in bytes; the chain alone may be longer, for it is read line by line
_LINE_LIMIT = 1 << 20
_BLOCK = 1 << 20
_SAID_FAULTS = 100
_SAID_LENGTH = 300
_GAP = 10_000
_CLOCKS_APART = timedelta(hours=1)
_DIGEST = 32
_DIGITS = 20
_EMBEDDED = re.compile(rb"/Type\s{0,20}/EmbeddedFile\b.{0,200}?stream\r?\n", re.DOTALL)
_NUMBER = re.compile(r"<ram:ID>([^<]*)</ram:ID>")
_TOTAL = re.compile(r"<ram:GrandTotalAmount>(-?[0-9]{1,15}(?:\.[0-9]{1,4})?)</ram:GrandTotalAmount>")
_ISSUED = ("invoice.issued", "credit_note.issued")
_RENDERED = ("invoice.pdf_rendered", "quote.pdf_rendered")
_QUOTE = "quo_"
_OF_SYSTEMS = ("thumbs.db", "desktop.ini")

Json = dict[str, Any]


class Unreadable(Exception):
    """There is no export to verify: why, in both languages."""

    def __init__(self, french: str, english: str) -> None:
        super().__init__(english)
        self.french = french
        self.english = english


class Report:
    """What is right, and what is not, in the language asked for."""

    def __init__(self, *, english: bool) -> None:
        self._english = english
        self.wrong = 0

    def say(self, french: str, english: str) -> None:
        """One line: what an export says of itself cannot write others."""
        said = english if self._english else french
        print("".join(char if char.isprintable() else "?" for char in said[:_SAID_LENGTH]))  # noqa: T201

    def conclude(self, french: str, english: str) -> None:
        print()  # noqa: T201
        self.say(french, english)

    def fault(self, subject: str, french: str, english: str) -> None:
        self.wrong += 1
        if self.wrong <= _SAID_FAULTS:
            self.say(f"  ERREUR  {subject} : {french}", f"  ERROR   {subject}: {english}")
        elif self.wrong == _SAID_FAULTS + 1:
            self.say("  ERREUR  … et d'autres", "  ERROR   … and others")


class Export:
    """The files of an export by their names in it, from its ZIP or its folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self._zip: zipfile.ZipFile | None = None
        with _reading(str(path)):
            if path.is_dir():
                self.names = sorted(_names_in(path))
            elif path.exists():
                self._zip = zipfile.ZipFile(path)
                self.names = sorted(self._checked(self._zip.infolist()))
            else:
                raise Unreadable("ce fichier n'existe pas", "there is no such file")
        for name in (MANIFEST, CHAIN, HEADS):
            if name not in self.names:
                raise Unreadable(f"{name} manque", f"{name} is missing")

    def _checked(self, entries: "list[zipfile.ZipInfo]") -> "Iterator[str]":
        seen = set()
        for entry in entries:
            name = entry.orig_filename
            if _leaves(name):
                raise Unreadable(f"le nom {name} sort du dossier", f"the name {name} leaves the folder")
            if name.casefold() in seen:
                raise Unreadable(f"deux fichiers portent le nom {name}", f"two files are named {name}")
            seen.add(name.casefold())
            if entry.file_size > LIMIT and name != CHAIN:
                raise _too_large(name)
            if not name.endswith("/"):
                self._entries[name] = entry
                yield name

    def read(self, name: str) -> bytes:
        """In pieces: what a file says of its size is not believed."""
        pieces, size = [], 0
        with _reading(name), self._open(name) as opened:
            while piece := opened.read(_BLOCK):
                size += len(piece)
                if size > LIMIT:
                    raise _too_large(name)
                pieces.append(piece)
        return b"".join(pieces)

    def lines(self, name: str) -> "Iterator[bytes]":
        """Without their ends; each has one, and says something."""
        with _reading(name), self._open(name) as opened:
            while line := opened.readline(_LINE_LIMIT):
                if line == b"\n" or not line.endswith(b"\n"):
                    raise Unreadable(f"{name} : une ligne est vide ou coupée", f"{name}: a line is empty or cut")
                yield line[:-1]

    def _open(self, name: str) -> "IO[bytes]":
        if self._zip is not None:
            return self._zip.open(self._entries[name])
        path = self.path / name
        if not path.is_file():
            raise Unreadable(f"{name} n'est pas un fichier", f"{name} is no file")
        return path.open("rb")


def _names_in(folder: Path) -> "Iterator[str]":
    """Of all that is not a folder itself; nothing is looked for behind links to folders."""
    for at, folders, files in os.walk(folder, onerror=_raised):
        links = [one for one in folders if (Path(at) / one).is_symlink()]
        for name in (*files, *links):
            yield (Path(at) / name).relative_to(folder).as_posix()


def _raised(error: OSError) -> None:
    raise error


def _leaves(name: str) -> bool:
    parts = name.split("/")
    return not name or "\\" in name or "\0" in name or name[1:2] == ":" or parts[0] == "" or ".." in parts


def _too_large(name: str) -> Unreadable:
    return Unreadable(f"{name} fait plus de {LIMIT >> 20} Mo", f"{name} is larger than {LIMIT >> 20} MB")


@contextmanager
def _reading(name: str) -> "Iterator[None]":
    """Whatever the system, a ZIP or its compression has against a file is said in our words."""
    try:
        yield
    except Unreadable:
        raise
    except zipfile.BadZipFile as error:
        raise Unreadable(f"{name} n'est pas un ZIP valable", f"{name} is no valid ZIP") from error
    except Exception as error:
        raise Unreadable(f"{name} ne peut être lu", f"{name} cannot be read") from error


def _object(content: bytes, name: str) -> Json:
    """A JSON object that names nothing twice."""
    try:
        held = json.loads(content.decode("utf-8"), object_pairs_hook=_each_once, parse_int=_short)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name} n'est pas du JSON valable", f"{name} is no valid JSON") from error
    if not isinstance(held, dict):
        raise Unreadable(f"{name} n'est pas un objet JSON", f"{name} is no JSON object")
    return held


def _each_once(pairs: "list[tuple[str, Any]]") -> Json:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise ValueError
    return held


def _short(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError
    return int(digits)


def _strange(field: str, where: str) -> Unreadable:
    return Unreadable(f"{where} : « {field} » manque ou est illisible", f"{where}: {field} is missing or unreadable")


def _text(held: Json, field: str, where: str) -> str:
    value = held.get(field)
    if not isinstance(value, str):
        raise _strange(field, where)
    return value


def _whole(held: Json, field: str, where: str) -> int:
    value = held.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 62:
        raise _strange(field, where)
    return value


def _within(held: Json, field: str, where: str) -> Json:
    value = held.get(field)
    if not isinstance(value, dict):
        raise _strange(field, where)
    return value


class Listed(NamedTuple):
    """A document as the manifest lists it; without a text it is a quote."""

    document_id: str
    number: str
    pdf: str
    sha256: str
    text: str

    @property
    def is_quote(self) -> bool:
        return self.document_id.startswith(_QUOTE)

    @property
    def files(self) -> "list[str]":
        return [self.pdf] if self.is_quote else [self.pdf, self.text]


class Manifest:
    """What the export says it holds."""

    def __init__(self, held: Json) -> None:
        if held.get("format") != FORMAT:
            raise Unreadable(f"{MANIFEST} : ce format est inconnu", f"{MANIFEST}: this format is unknown")
        self.tenant_id = _text(held, "tenant_id", MANIFEST)
        chain = _within(held, "chain", MANIFEST)
        after, last = _within(chain, "after", MANIFEST), _within(chain, "last", MANIFEST)
        self.after = (_whole(after, "sequence", MANIFEST), _text(after, "chain_hash", MANIFEST))
        self.last = (_whole(last, "sequence", MANIFEST), _text(last, "chain_hash", MANIFEST))
        if self.after[0] < 0:
            raise _strange("sequence", MANIFEST)
        documents = held.get("documents")
        if not isinstance(documents, list) or not all(isinstance(one, dict) for one in documents):
            raise _strange("documents", MANIFEST)
        self.documents = [_listed(one) for one in documents]


def _listed(held: Json) -> Listed:
    document_id = _text(held, "document_id", MANIFEST)
    return Listed(
        document_id,
        _text(held, "number", MANIFEST),
        _text(held, "pdf", MANIFEST),
        _text(held, "sha256", MANIFEST),
        "" if document_id.startswith(_QUOTE) else _text(held, "text", MANIFEST),
    )


class Head(NamedTuple):
    """Where the chain stood when a day was over, as it was archived under a lock."""

    tenant_id: str
    day: date
    sequence: int
    chain_hash: str
    fixed_at: datetime


def _head(line: bytes) -> Head:
    held = _object(line, HEADS)
    return Head(
        _text(held, "tenant_id", HEADS),
        _day(held),
        _whole(held, "sequence", HEADS),
        _text(held, "chain_hash", HEADS),
        _instant(held, "fixed_at", HEADS),
    )


def _day(held: Json) -> date:
    try:
        return date.fromisoformat(_text(held, "day", HEADS))
    except ValueError as error:
        raise _strange("day", HEADS) from error


def _instant(held: Json, field: str, where: str) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(held, field, where))
        utc = instant.astimezone(timezone.utc)  # noqa: UP017 - for 3.9
    except (ValueError, OverflowError) as error:
        raise _strange(field, where) from error
    if instant.tzinfo is None:
        raise _strange(field, where)
    return utc


class Chain:
    """The hash of each place by its sequence, and what the places say of the documents of the export.

    Of what is said twice of a document, the first counts: nobody replaces it by saying something else later.
    """

    def __init__(self, after: "tuple[int, str]", wanted: "set[str]", pinned: "set[int]") -> None:
        self.after, self.last = after, after[0]
        self.occurred_at: dict[int, datetime] = {}
        self.issued: dict[str, Json] = {}
        self.rendered: dict[str, list[tuple[int, Json]]] = {}
        self.others: list[str] = []
        self._digests = bytearray()
        self._wanted = wanted
        self._pinned = pinned

    def add(self, sequence: int, place: Json, digest: bytes) -> None:
        if not self.last < sequence <= self.last + _GAP:
            return
        self._digests += bytes(_DIGEST * (sequence - self.last - 1)) + digest
        self.last = sequence
        if sequence in self._pinned:
            self.occurred_at[sequence] = _instant(place, "occurred_at", CHAIN)
        kind = place.get("event_type")
        if kind in _ISSUED:
            self._issue(_text(place, "subject_id", CHAIN), _within(place, "data", CHAIN))
        elif kind in _RENDERED and _text(place, "subject_id", CHAIN) in self._wanted:
            told = (sequence, _within(place, "data", CHAIN))
            self.rendered.setdefault(place["subject_id"], []).append(told)

    def _issue(self, document_id: str, data: Json) -> None:
        if document_id in self._wanted:
            self.issued.setdefault(document_id, data)
        else:
            self.others.append(_text(data, "number", CHAIN))

    def hash_at(self, sequence: int) -> "str | None":
        if sequence == self.after[0]:
            return self.after[1]
        start = (sequence - self.after[0] - 1) * _DIGEST
        return self._digests[start : start + _DIGEST].hex() if 0 <= start < len(self._digests) else None


class Verified(NamedTuple):
    """What an export shows, for a look at another one beside it; ``fixed``: the last place that a head pins."""

    manifest: Manifest
    chain: Chain
    heads: "list[Head]"
    digests: "dict[str, tuple[str, str]]"
    documents_fixed: int


def main(arguments: "list[str]") -> int:
    report = Report(english="--english" in arguments or "--with" in arguments)
    path = Path(__file__).resolve().parent
    try:
        if "--help" in arguments or "-h" in arguments:
            print(__doc__ or "python -I verifier.py [--english] [--avec ANCIEN] [EXPORT]")  # noqa: T201
            return 0
        chosen, older = _options(arguments)
        path = Path(chosen) if chosen else path
        verified = verify(Export(path), report)
        if older:
            path = Path(older)
            _compare(verified, verify(Export(path), report, older=True), report)
    except Unreadable as error:
        report.say(
            f"{path} : ce n'est pas un export lisible ({error.french}).", f"{path}: no readable export ({error})."
        )
        return 2
    # Whatever it is, an export made it happen: it is said, not shown as a trace.
    except Exception:  # noqa: BLE001
        report.say(f"{path} : ce n'est pas un export lisible.", f"{path}: no readable export.")
        return 2
    return _concluded(verified, report)


def _options(arguments: "list[str]") -> "tuple[str, str]":
    """The export and the older one; empty when they are not named."""
    chosen, older = "", ""
    given = iter(arguments)
    for one in given:
        if one in {"--avec", "--with"}:
            older = next(given, "")
            if not older:
                raise Unreadable(f"{one} : quel export plus ancien ?", f"{one}: which older export?")
        elif one.startswith("-") and one != "--english":
            raise Unreadable(f"l'option {one} est inconnue, voyez --help", f"unknown option {one}, see --help")
        elif one != "--english":
            if chosen:
                raise Unreadable(f"un seul export à la fois, {one} est de trop", f"one export at a time, not {one}")
            chosen = one
    return chosen, older


def _concluded(verified: Verified, report: Report) -> int:
    if report.wrong:
        report.conclude(
            f"L'export n'est PAS intact : {report.wrong} erreur(s).", f"NOT intact: {report.wrong} error(s)."
        )
        return 1
    if verified.heads and verified.documents_fixed:
        report.conclude("L'export est intact.", "The export is intact.")
        return 0
    fixed = ("ces documents", "these documents") if verified.heads else ("la chaîne", "the chain")
    report.conclude(
        f"Cohérent ; aucune tête archivée ne fixe encore {fixed[0]} : gardez cet export et comparez-le au suivant.",
        f"Consistent; no archived head pins {fixed[1]} yet: keep this export and compare it with the next one.",
    )
    return 0


def verify(export: Export, report: Report, *, older: bool = False) -> Verified:
    if older:
        report.conclude(f"Export plus ancien {export.path}", f"Older export {export.path}")
    else:
        report.say(f"Export {export.path}", f"Export {export.path}")
    manifest = Manifest(_object(export.read(MANIFEST), MANIFEST))
    heads = [_head(line) for line in export.lines(HEADS)]
    chain = _chain(export, manifest, heads, report)
    fixed = _heads(heads, manifest, chain, report)
    _names(manifest, report)
    digests = _documents(export, manifest, chain, report)
    documents_fixed = _behind(manifest, chain, heads, fixed, report)
    _others(chain, report)
    _files(export, manifest, report)
    return Verified(manifest, chain, heads, digests, documents_fixed)


def _chain(export: Export, manifest: Manifest, heads: "list[Head]", report: Report) -> Chain:
    """Each line is hashed as it stands; the next one must hold that hash."""
    sequence, previous = manifest.after
    wanted = {listed.document_id for listed in manifest.documents}
    chain = Chain(manifest.after, wanted, {head.sequence for head in heads})
    if sequence == 0 and previous != hashlib.sha256(f"zenbilling:{manifest.tenant_id}".encode()).hexdigest():
        report.fault(CHAIN, "la chaîne n'est pas celle de cette entreprise", "the chain is another company's")
    before, count = report.wrong, 0
    for line in export.lines(CHAIN):
        place = _object(line, CHAIN)
        found = _whole(place, "sequence", CHAIN)
        if found != sequence + 1:
            report.fault(
                CHAIN,
                f"l'inscription {sequence + 1} manque ({found} trouvée)",
                f"place {sequence + 1} is missing ({found} found)",
            )
        elif place.get("previous_hash") != previous:
            report.fault(
                CHAIN,
                f"l'inscription {found} ne suit pas la précédente : l'une des deux a été changée",
                f"place {found} does not follow the one before: one of them was changed",
            )
        digest = hashlib.sha256(line).digest()
        chain.add(found, place, digest)
        sequence, previous, count = found, digest.hex(), count + 1
        if report.wrong > before + _SAID_FAULTS:
            break  # no chain at all
    if (sequence, previous) != manifest.last:
        report.fault(CHAIN, f"elle ne finit pas à l'inscription {manifest.last[0]}", f"not up to {manifest.last[0]}")
    if report.wrong == before:
        report.say(
            f"  chaîne      {_many(count, 'inscription')}, de {manifest.after[0] + 1} à {sequence}, sans rupture",
            f"  chain       {_many(count, 'place')}, {manifest.after[0] + 1} to {sequence}, unbroken",
        )
    return chain


def _heads(heads: "list[Head]", manifest: Manifest, chain: Chain, report: Report) -> int:
    """The daily heads pin the chain from outside: it must pass through each of them. Returns the last place pinned."""
    before, fixed = report.wrong, manifest.after[0]
    for rank, head in enumerate(heads):
        if head.tenant_id != manifest.tenant_id or chain.hash_at(head.sequence) != head.chain_hash:
            report.fault(
                HEADS,
                f"la chaîne ne passe pas par l'inscription {head.sequence}, archivée pour le {head.day}",
                f"the chain does not pass through place {head.sequence}, archived for {head.day}",
            )
        else:
            fixed = max(fixed, head.sequence)
        earlier = heads[rank - 1] if rank else None
        follows = earlier is None or (earlier.day < head.day and earlier.sequence <= head.sequence)
        recorded_at = chain.occurred_at.get(head.sequence)
        if (
            not follows
            or head.fixed_at.date() < head.day
            or (recorded_at is not None and head.fixed_at < recorded_at - _CLOCKS_APART)
        ):
            report.fault(
                HEADS,
                f"la tête du {head.day} n'est pas de ce jour-là",
                f"the head of {head.day} is not of that day",
            )
    if heads and report.wrong == before:
        first, last = heads[0].day, heads[-1].day
        report.say(
            "  têtes       la chaîne passe par "
            f"{_many(len(heads), 'tête archivée', 'têtes archivées')}, du {first} au {last}",
            f"  heads       the chain passes through {_many(len(heads), 'archived head')}, {first} to {last}",
        )
    if not heads:
        report.say(
            "  têtes       aucune encore : la tête d'un jour est archivée la nuit suivante",
            "  heads       none yet: the head of a day is archived in the night that follows",
        )
    return fixed


def _names(manifest: Manifest, report: Report) -> None:
    """A document is listed once, and its files are named after its number, as the product names them."""
    known: set[str] = set()
    taken: set[str] = set()
    for listed in manifest.documents:
        if listed.document_id in known:
            report.fault(listed.number, "ce document est dans le manifeste deux fois", "the manifest lists it twice")
        known.add(listed.document_id)
        stem = "".join(char if char.isalnum() or char in "-_." else "-" for char in listed.number)
        name, further = f"{stem}.pdf", 1
        while name.lower() in taken:
            further += 1
            name = f"{stem}-{further}.pdf"
        taken.add(name.lower())
        expected = [name] if listed.is_quote else [name, f"{PROOFS}documents/{name[: -len('.pdf')]}.json"]
        for found, right in zip(listed.files, expected):  # noqa: B905 - for 3.9
            if found != right:
                report.fault(found, f"le nom devrait être {right}", f"the name should be {right}")


def _documents(export: Export, manifest: Manifest, chain: Chain, report: Report) -> "dict[str, tuple[str, str]]":
    """Text, PDF and XML of each document against what the chain says of it, and against each other.

    Returns the hashes of text and PDF of the invoices and credit notes.
    """
    names = set(export.names)
    texts: dict[tuple[str, int, int], tuple[str, str, Any]] = {}
    digests: dict[str, tuple[str, str]] = {}
    right, quotes = [0, 0], [listed for listed in manifest.documents if listed.is_quote]
    for listed in manifest.documents:
        before = report.wrong
        missing = [name for name in listed.files if name not in names]
        for name in missing:
            report.fault(name, "le fichier manque", "the file is missing")
        if not missing and listed.is_quote:
            _quote(listed, export.read(listed.pdf), chain, report)
        elif not missing:
            content, pdf = export.read(listed.text), export.read(listed.pdf)
            document = _object(content, listed.text)
            digest = hashlib.sha256(content).hexdigest()
            digests[listed.document_id] = (digest, hashlib.sha256(pdf).hexdigest())
            texts[_rank(document, listed.text)] = (digest, listed.number, document.get("previous_hash"))
            _document(listed, document, digests[listed.document_id], pdf, chain, report)
        right[listed.is_quote] += report.wrong == before
    _series(texts, report)
    issued = len(manifest.documents) - len(quotes)
    if issued or not quotes:
        report.say(
            f"  documents   {right[0]} sur {issued} : texte, PDF et XML sont ceux de la chaîne",
            f"  documents   {right[0]} of {issued}: text, PDF and XML are those of the chain",
        )
    if quotes:
        report.say(
            f"  devis       {right[1]} sur {len(quotes)} : le PDF est celui de la chaîne",
            f"  quotes      {right[1]} of {len(quotes)}: the PDF is that of the chain",
        )
    return digests


def _rank(document: Json, name: str) -> "tuple[str, int, int]":
    return _text(document, "series", name), _whole(document, "year", name), _whole(document, "rank", name)


class Comparison:
    """What should be the same; a fault where it is not."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def same(self, found: object, expected: object, subject: str, said: "tuple[str, str]") -> None:
        if found != expected:
            self._report.fault(subject, *said)


def _quote(listed: Listed, pdf: bytes, chain: Chain, report: Report) -> None:
    """A quote may be revised under its number: its PDF is one of those that were recorded."""
    found, hold = hashlib.sha256(pdf).hexdigest(), Comparison(report).same
    told = [data for _, data in chain.rendered.get(listed.document_id, [])]
    if not told:
        report.fault(listed.number, "la chaîne n'en dit rien", "the chain does not know it")
        return
    mine = next((data for data in told if data.get("sha256") == found), None)
    hold(found, listed.sha256, listed.pdf, ("le PDF n'est pas celui du manifeste", "not the PDF of the manifest"))
    hold(mine is not None, True, listed.pdf, ("le PDF a été changé", "the PDF was changed"))
    numbers = [data.get("number") for data in ([mine] if mine else told)]
    hold(listed.number in numbers, True, listed.number, ("le numéro diffère", "the number differs"))


def _document(
    listed: Listed, document: Json, digests: "tuple[str, str]", pdf: bytes, chain: Chain, report: Report
) -> None:
    said = chain.issued.get(listed.document_id)
    told = chain.rendered.get(listed.document_id)
    if said is None or not told:
        report.fault(listed.number, "la chaîne n'en dit rien", "the chain does not know it")
        return
    (text, file), shown, hold = digests, told[0][1], Comparison(report).same
    hold(text, said.get("document_hash"), listed.text, ("le texte a été changé", "the text was changed"))
    hold(text, shown.get("document_hash"), listed.text, ("le PDF en montre un autre", "the PDF shows another one"))
    hold(document.get("invoice_id"), listed.document_id, listed.text, ("c'est un autre document", "another document"))
    number = document.get("number")
    hold(number, said.get("number"), listed.text, ("le numéro diffère", "the number differs"))
    hold(number, listed.number, listed.number, ("le numéro diffère au manifeste", "the manifest's number differs"))
    total = _whole(_within(document, "totals", listed.text), "total_minor", listed.text)
    hold(total, said.get("total_minor"), listed.text, ("le total diffère", "the total differs"))
    hold(file, shown.get("sha256"), listed.pdf, ("le PDF a été changé", "the PDF was changed"))
    hold(file, listed.sha256, listed.pdf, ("le PDF n'est pas celui du manifeste", "not the PDF of the manifest"))
    xml = embedded_xml(pdf)
    found = hashlib.sha256(xml).hexdigest() if xml is not None else None
    changed = ("le XML qu'il contient a été changé", "the XML within was changed")
    hold(found, shown.get("xml_sha256"), listed.pdf, changed)
    if xml is not None:
        content = xml.decode("utf-8", "replace")
        totals = [int(one.replace(".", "")) for one in _TOTAL.findall(content)]
        numbers = _NUMBER.findall(content)
        hold(number in numbers, True, listed.pdf, ("le XML a un autre numéro", "the XML has another number"))
        hold(totals, [total], listed.pdf, ("le XML a un autre total", "the XML has another total"))


def embedded_xml(pdf: bytes) -> "bytes | None":
    """The file that a PDF of ours carries, when it is no larger than any file may be."""
    found = _EMBEDDED.search(pdf)
    if found is None:
        return None
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(memoryview(pdf)[found.end() :], LIMIT)
    except zlib.error:
        return None
    return content if inflater.eof else None


def _series(texts: "dict[tuple[str, int, int], tuple[str, str, Any]]", report: Report) -> None:
    """Each document of a series holds the hash of the one before it, where both are in the export."""
    for (series, year, rank), (_, number, previous) in sorted(texts.items(), key=lambda one: one[0]):
        before = texts.get((series, year, rank - 1))
        if before is not None and previous != before[0]:
            report.fault(
                number,
                f"il ne suit pas {before[1]} : l'un des deux a été changé",
                f"it does not follow {before[1]}: one of them was changed",
            )


def _behind(manifest: Manifest, chain: Chain, heads: "list[Head]", fixed: int, report: Report) -> int:
    """What stands after the last head is said: nothing pins it yet. Returns how many documents are pinned."""
    pinned = sum(
        any(sequence <= fixed and data.get("sha256") == listed.sha256 for sequence, data in told)
        for listed in manifest.documents
        for told in [chain.rendered.get(listed.document_id, [])]
        if heads
    )
    places, documents = chain.last - fixed, len(manifest.documents) - pinned
    if heads and places:
        report.say(
            f"  à fixer     {_many(places, 'inscription')} et {_many(documents, 'document')} après la dernière tête, "
            "que la prochaine fixera",
            f"  not pinned  {_many(places, 'place')} and {_many(documents, 'document')} after the last head, "
            "which the next one will pin",
        )
    return pinned


def _others(chain: Chain, report: Report) -> None:
    """What the chain recorded meanwhile and the export does not hold: it was not asked for, or somebody removed it."""
    others = sorted(chain.others)
    if others:
        named = f"{', '.join(others[:8])}{'…' if others[8:] else ''}"
        report.say(
            f"  absents     {_many(len(others), 'document')} de la même période, hors de cet export : {named}",
            f"  absent      {_many(len(others), 'document')} of the same period, not in this export: {named}",
        )


def _files(export: Export, manifest: Manifest, report: Report) -> None:
    """Every file is one of the export, but for those that systems leave wherever they look."""
    known = {name for listed in manifest.documents for name in listed.files}
    known.update((MANIFEST, CHAIN, HEADS, *BESIDE))
    for name in export.names:
        parts = name.split("/")
        hidden = any(part.startswith(".") for part in parts) or parts[-1].lower() in _OF_SYSTEMS
        if name not in known and not hidden:
            report.fault(name, "ce fichier n'appartient pas à l'export", "this file does not belong to the export")


def _compare(newer: Verified, older: Verified, report: Report) -> None:
    """What both show is the same: the chain cannot have been made again between the two."""
    before = report.wrong
    if newer.manifest.tenant_id != older.manifest.tenant_id:
        report.fault(MANIFEST, "l'ancien export est d'une autre entreprise", "the older export is another company's")
        return
    first = max(newer.chain.after[0], older.chain.after[0])
    last = min(newer.chain.last, older.chain.last)
    for sequence in range(first, last + 1):
        if newer.chain.hash_at(sequence) != older.chain.hash_at(sequence):
            report.fault(
                CHAIN,
                f"l'inscription {sequence} n'est plus celle de l'ancien export : la chaîne a été récrite",
                f"place {sequence} is no longer that of the older export: the chain was written again",
            )
            break
    days = {head.day: head for head in newer.heads}
    for head in older.heads:
        if days.get(head.day, head) != head:
            report.fault(HEADS, f"la tête du {head.day} n'est plus la même", f"the head of {head.day} has changed")
    both = sorted(set(newer.digests) & set(older.digests))
    for document_id in both:
        if newer.digests[document_id] != older.digests[document_id]:
            report.fault(document_id, "il n'est plus celui de l'ancien export", "no longer that of the older export")
    if last < first or (first == 0 and last == 0):
        report.say(
            "  comparés    aucune inscription n'est dans les deux : l'ancien export ne dit rien de celui-ci",
            "  compared    no place is in both: the older export says nothing of this one",
        )
    elif report.wrong == before:
        common = last - max(first, 1) + 1
        report.say(
            f"  comparés    {_many(common, 'inscription')} et {_many(len(both), 'document')} dans les deux exports, "
            "les mêmes",
            f"  compared    {_many(common, 'place')} and {_many(len(both), 'document')} in both exports, the same",
        )


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count < 2 else several or one + 's'}"


if __name__ == "__main__":
    for _stream in (sys.stdout, sys.stderr):
        if hasattr(_stream, "reconfigure"):
            _stream.reconfigure(errors="replace")  # a terminal without our letters
    sys.exit(main(sys.argv[1:]))

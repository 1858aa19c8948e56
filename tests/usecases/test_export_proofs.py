"""An export proves itself: real PDFs and XML, the chain and its heads, and the program that a customer runs on it."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.verifier import verify_export
from billing.domain.bulk import BulkOperation, BulkOutcome, BulkResult, BulkState, archive_names
from billing.domain.chain_head import ChainHead
from billing.domain.errors import DependencyUnavailable
from billing.domain.export_proof import CHAIN, FOLDER, FORMAT, HEADS, MANIFEST, READ_ME, VERIFIER
from billing.domain.invoice import IssuedInvoice
from billing.domain.quote import Quote
from billing.runtime.archives import verifier
from billing.usecases import bulk_jobs, export_proofs
from billing.usecases.chain_heads import ChainHeadDiffers, keep_chain_heads
from tests.fakes.bulk_jobs import FakeArchives
from tests.usecases.conftest import Shop
from tests.usecases.test_quotes import Desk

NUMBERS = [f"F2026-{rank:05d}" for rank in range(1, 7)]


@dataclass
class Company:
    """Issues, renders and places events at once; its heads are kept in the night."""

    shop: Shop
    archives: FakeArchives = field(init=False)
    documents: list[IssuedInvoice] = field(default_factory=list)
    quote: Quote = field(init=False)

    def __post_init__(self) -> None:
        self.archives = FakeArchives(self.shop.documents)

    def bills(self, **changes: Any) -> IssuedInvoice:
        issued = self.shop.issue(**changes)
        self.shop.render(issued, renderer=PdfDocumentRenderer(factur_x), xml=factur_x)
        self.shop.record(issued)
        self.documents.append(issued)
        self.shop.clock.advance(timedelta(minutes=3))
        return issued

    def offers(self) -> Quote:
        """A quote, mailed with its PDF."""
        quote = Desk(self.shop).sent()
        self.shop.clock.advance(timedelta(minutes=3))
        return quote

    def night(self) -> None:
        self.shop.place_events()
        self.shop.clock.advance(timedelta(days=1))
        keep_chain_heads(
            chains=self.shop.repositories.chains,
            documents=self.shop.documents,
            clock=self.shop.clock,
            park=list[str]().append,
        )

    def export(self, *document_ids: str) -> dict[str, bytes]:
        """Every file of the ZIP."""
        shop, held = self.shop, self.shop.repositories
        job = bulk_jobs.start_bulk_job(
            shop.caller,
            BulkOperation.EXPORT,
            document_ids,
            correlation_id="corr",
            once=shop.once("startBulkJob"),
            bulk_jobs=held.bulk_jobs,
            clock=shop.clock,
            ids=shop.ids,
        )
        for lane in range(BulkOperation.EXPORT.lanes):
            bulk_jobs.run_bulk_lane(
                job.tenant_id,
                job.bulk_job_id,
                run=1,
                lane=lane,
                bulk_jobs=held.bulk_jobs,
                invoices=held.invoices,
                quotes=held.quotes,
                customers=held.customers,
                clock=shop.clock,
                ids=shop.ids,
            )
        bulk_jobs.finish_bulk_job(
            job.tenant_id,
            job.bulk_job_id,
            run=1,
            bulk_jobs=held.bulk_jobs,
            archives=self.archives,
            chains=held.chains,
            documents=shop.documents,
            verifier=verifier(),
            clock=shop.clock,
        )
        ended = held.bulk_jobs.read(shop.caller, job.bulk_job_id)
        assert ended.state is BulkState.ENDED
        assert ended.archive is not None
        [key] = [one for one in self.archives.packed if ended.bulk_job_id in one]
        pdfs = {
            result.number + ".pdf": shop.documents.stored[result.pdf_key]
            for result in held.bulk_jobs.all_results(job.tenant_id, job.bulk_job_id)
        }
        assert set(pdfs) == set(self.archives.packed[key])
        return {**pdfs, **{name: text.encode() for name, text in self.archives.texts[key].items()}}


@pytest.fixture
def company(shop: Shop) -> Company:
    """Two invoices on each of three days, a quote on the first; the heads of two nights."""
    made = Company(shop)
    for day in range(3):
        made.bills()
        made.bills()
        if day == 0:
            made.quote = made.offers()
        if day < 2:
            made.night()
    made.shop.place_events()
    return made


@pytest.fixture
def files(company: Company) -> dict[str, bytes]:
    """Six invoices and a quote."""
    return company.export(*(issued.invoice_id for issued in company.documents), company.quote.quote_id)


@dataclass(frozen=True)
class Verdict:
    code: int
    said: str


@pytest.fixture
def verdict(tmp_path: Path) -> Callable[..., Verdict]:
    """Unpack, and run the export's own program alone: no site packages, nothing of this repository on the path."""

    def verify(files: dict[str, bytes], *arguments: str) -> Verdict:
        folder = tmp_path / f"export-{len(list(tmp_path.iterdir()))}"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        ran = subprocess.run(
            [sys.executable, "-I", "-S", str(folder / VERIFIER), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.stderr == ""
        return Verdict(ran.returncode, ran.stdout)

    return verify


def _packed(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def test_an_export_verifies_itself(files: dict[str, bytes], verdict: Callable[..., Verdict]) -> None:
    told = verdict(files)

    assert told.code == 0, told.said
    assert "L'export est intact." in told.said
    assert "6 sur 6" in told.said
    assert "passe par 2 têtes archivées" in told.said
    assert {f"{number}.pdf" for number in NUMBERS} < set(files)
    assert {CHAIN, HEADS, MANIFEST, VERIFIER, READ_ME} < set(files)
    assert "Export" in verdict(files, "--english").said


def test_it_verifies_from_its_zip_too(files: dict[str, bytes], tmp_path: Path) -> None:
    path = _packed(files, tmp_path / "export.zip")

    assert verify_export.main([str(path)]) == 0
    assert verify_export.main([str(tmp_path / "nothing.zip")]) == 2
    (tmp_path / "empty").mkdir()
    assert verify_export.main([str(tmp_path / "empty")]) == 2
    (tmp_path / "text.zip").write_text("no archive")
    assert verify_export.main([str(tmp_path / "text.zip")]) == 2


def test_an_export_of_a_few_holds_the_chain_of_their_time_only(
    company: Company, verdict: Callable[..., Verdict]
) -> None:
    whole = company.export(*(issued.invoice_id for issued in company.documents))
    later = company.export(*(issued.invoice_id for issued in company.documents[4:]))

    told = verdict(later)
    assert told.code == 0, told.said
    assert "2 sur 2" in told.said
    assert later[CHAIN] != whole[CHAIN]
    assert whole[CHAIN].endswith(later[CHAIN])
    manifest = json.loads(later[MANIFEST])
    anchor, *_ = [ChainHead.read(line) for line in later[HEADS].decode().splitlines()]
    assert manifest["chain"]["after"] == {"sequence": anchor.sequence, "chain_hash": anchor.chain_hash}


def test_documents_of_the_same_time_that_were_not_asked_for_are_named(
    company: Company, verdict: Callable[..., Verdict]
) -> None:
    told = verdict(company.export(company.documents[0].invoice_id, company.documents[5].invoice_id))

    assert told.code == 0
    assert "4 documents de la même période, hors de cet export : F2026-00002" in told.said


Attack = Callable[[dict[str, bytes]], None]


def _changed(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


def _resealed(lines: list[bytes], rank: int, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The chain as somebody would write it who changes a place and makes every hash after it again."""
    previous = None
    for place in range(rank, len(lines)):
        held = json.loads(lines[place])
        if place == rank:
            change(held)
        else:
            held["previous_hash"] = previous
        lines[place] = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        previous = hashlib.sha256(lines[place]).hexdigest()
    return b"\n".join(lines) + b"\n"


def _with_other_xml(pdf: bytes) -> bytes:
    """The PDF with its XML saying another due date, in a stream of the same length, so that it opens as before."""
    found = re.search(rb"/Type /EmbeddedFile.{0,60}?stream\r?\n", pdf, re.DOTALL)
    assert found is not None
    inflater = zlib.decompressobj()
    xml = inflater.decompress(pdf[found.end() :])
    rest = inflater.unused_data
    return pdf[: found.end()] + zlib.compress(_changed(xml, b"20261124", b"20261125"), 9) + rest


def _swap(files: dict[str, bytes], one: str, other: str) -> None:
    files[one], files[other] = files[other], files[one]


def _drop_line(content: bytes, rank: int) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[rank]
    return b"".join(lines)


def _listing(change: Callable[[dict[str, Any]], object]) -> Attack:
    """Another manifest."""

    def attack(files: dict[str, bytes]) -> None:
        held = json.loads(files[MANIFEST])
        change(held)
        files[MANIFEST] = json.dumps(held).encode()

    return attack


def _swap_names(files: dict[str, bytes]) -> None:
    """Two PDFs change places, and the manifest says so."""
    third, fourth = PDF, "F2026-00004.pdf"
    _swap(files, third, fourth)
    other = {third: fourth, fourth: third}
    _listing(lambda held: [one.update(pdf=other.get(one["pdf"], one["pdf"])) for one in held["documents"]])(files)


def _rename(files: dict[str, bytes], name: str, other: str) -> None:
    files[other] = files.pop(name)
    files[MANIFEST] = files[MANIFEST].replace(f'"{name}"'.encode(), f'"{other}"'.encode())


def _renumber_quote(files: dict[str, bytes]) -> None:
    _rename(files, QUOTE, "D2026-00009.pdf")
    files[MANIFEST] = _changed(files[MANIFEST], b'"D2026-00001"', b'"D2026-00009"')


def _replace_quote(files: dict[str, bytes]) -> None:
    """Another PDF, and the manifest says so."""
    recorded, files[QUOTE] = hashlib.sha256(files[QUOTE]).hexdigest(), b"%PDF"
    other = hashlib.sha256(b"%PDF").hexdigest()
    files[MANIFEST] = _changed(files[MANIFEST], recorded.encode(), other.encode())


def _double_line(content: bytes, rank: int) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[: rank + 1], *lines[rank:]])


TEXT = "preuves/documents/F2026-00003.json"
PDF = "F2026-00003.pdf"
QUOTE = "D2026-00001.pdf"
FOREIGN = "ce fichier n'appartient pas à l'export"


def _update(name: str, change: Callable[[bytes], bytes]) -> Attack:
    return lambda files: files.update({name: change(files[name])})


ATTACKS: dict[str, tuple[Attack, str]] = {
    "a byte of a PDF": (_update(PDF, lambda it: it[:900] + bytes([it[900] ^ 1]) + it[901:]), "le PDF a été changé"),
    "a PDF is longer": (_update(PDF, lambda it: it + b"%"), "le PDF a été changé"),
    "the XML of a PDF": (_update(PDF, _with_other_xml), "le XML qu'il contient a été changé"),
    "two PDFs change places": (lambda files: _swap(files, PDF, "F2026-00004.pdf"), "le PDF a été changé"),
    "a PDF is gone": (lambda files: files.__delitem__(PDF), "le fichier manque"),
    "a text is gone": (lambda files: files.__delitem__(TEXT), "le fichier manque"),
    "an amount of a text": (
        _update(TEXT, lambda it: _changed(it, b'"unit_price":"100"', b'"unit_price":"10"')),
        "le texte",
    ),
    "a space in a text": (_update(TEXT, lambda it: it + b" "), "le texte a été changé"),
    "two texts change places": (lambda files: _swap(files, TEXT, TEXT.replace("3.", "4.")), "le texte a été changé"),
    "a place is gone": (_update(CHAIN, lambda it: _drop_line(it, 5)), "manque"),
    "the first place is gone": (_update(CHAIN, lambda it: _drop_line(it, 0)), "manque"),
    "the last place is gone": (_update(CHAIN, lambda it: _drop_line(it, -1)), "elle ne finit pas"),
    "a place stands twice": (_update(CHAIN, lambda it: _double_line(it, 4)), "manque"),
    "an actor of a place": (
        _update(CHAIN, lambda it: _changed(it, b'"role":"owner"', b'"role":"admin"')),
        "ne suit pas",
    ),
    "a number in a place": (
        _update(CHAIN, lambda it: _changed(it, b'"number":"F2026-00003"', b'"number":"F2026-00009"')),
        "le numéro diffère",
    ),
    "the chain is made again from a place on": (
        _update(CHAIN, lambda it: _resealed(it.splitlines(), 6, lambda place: place.update(actor="somebody"))),
        "la chaîne ne passe pas par",
    ),
    "the chain is made again from its first place on": (
        _update(CHAIN, lambda it: _resealed(it.splitlines(), 0, lambda place: place.update(actor="somebody"))),
        "la chaîne ne passe pas par",
    ),
    "a head": (_update(HEADS, lambda it: re.sub(rb'"sequence":\d+', b'"sequence":3', it, count=1)), "ne passe pas par"),
    "the head of another company": (
        _update(HEADS, lambda it: re.sub(rb'"tenant_id":"[^"]+"', b'"tenant_id":"ten_other"', it, count=1)),
        "ne passe pas par",
    ),
    "another company": (
        _update(MANIFEST, lambda it: re.sub(rb'"tenant_id":"[^"]+"', b'"tenant_id":"ten_other"', it)),
        "n'est pas celle de cette entreprise",
    ),
    "a file beside the proofs": (lambda files: files.update({"preuves/autre.json": b"{}"}), FOREIGN),
    "a PDF beside the documents": (lambda files: files.update({"F2026-00003 (1).pdf": files[PDF]}), FOREIGN),
    "a PDF in capitals in a folder": (lambda files: files.update({"factures/F2026-00003.PDF": b"%PDF"}), FOREIGN),
    "a page named as an invoice": (lambda files: files.update({"F2026-00003.html": b"<p>"}), FOREIGN),
    "a program beside the documents": (lambda files: files.update({"F2026-00003.pdf.exe": b"MZ"}), FOREIGN),
    "a quote that is not listed": (lambda files: files.update({"D2026-00009.pdf": files[QUOTE]}), FOREIGN),
    "a file without an ending": (lambda files: files.update({"facture": b""}), FOREIGN),
    "the PDF of a quote": (_update(QUOTE, lambda it: it + b"%"), "D2026-00001.pdf : le PDF a été changé"),
    "the PDF of a quote is gone": (lambda files: files.__delitem__(QUOTE), "D2026-00001.pdf : le fichier manque"),
    "the PDF of a quote and its hash": (_replace_quote, "D2026-00001.pdf : le PDF a été changé"),
    "the number of a quote": (_renumber_quote, "D2026-00009 : le numéro diffère"),
    "the hash of a PDF at the manifest": (
        _update(MANIFEST, lambda it: re.sub(rb'"sha256":"[^"]+"', b'"sha256":"' + b"0" * 64 + b'"', it, count=1)),
        "n'est pas celui du manifeste",
    ),
    "two PDFs change places and the manifest says so": (_swap_names, "le nom devrait être F2026-00003.pdf"),
    "a PDF has another name": (lambda files: _rename(files, PDF, "F2026-00031.pdf"), "le nom devrait être"),
    "a text has another name": (
        lambda files: _rename(files, TEXT, TEXT.replace("0003.", "0031.")),
        "le nom devrait être",
    ),
    "a number at the manifest": (
        _listing(lambda held: held["documents"][2].update(number="F2026-99999")),
        "le numéro diffère au manifeste",
    ),
    "a document is listed twice": (
        _listing(lambda held: held["documents"].append(held["documents"][0])),
        "dans le manifeste deux fois",
    ),
    "a document is not listed any more": (_listing(lambda held: held["documents"].pop(2)), FOREIGN),
    "a PDF from elsewhere": (
        _listing(lambda held: held["documents"][2].update(pdf="../" * 8 + "etc/hosts")),
        "le fichier manque",
    ),
    "the day of a head": (
        _update(HEADS, lambda it: _changed(it, b'"day":"2026-11-24"', b'"day":"2026-11-22"')),
        "n'est pas de ce jour-là",
    ),
    "the instant of a head": (
        _update(HEADS, lambda it: re.sub(rb'"fixed_at":"2026-', b'"fixed_at":"1999-', it, count=1)),
        "n'est pas de ce jour-là",
    ),
    "days and instants of all heads": (
        _update(HEADS, lambda it: it.replace(b'"2026-', b'"1999-')),
        "n'est pas de ce jour-là",
    ),
    "two heads change places": (
        _update(HEADS, lambda it: b"".join(reversed(it.splitlines(keepends=True)))),
        "n'est pas de ce jour-là",
    ),
    "the manifest says another end": (
        _listing(lambda held: held["chain"]["last"].update(sequence=9)),
        "elle ne finit pas à l'inscription 9",
    ),
    "a document that the chain does not know": (
        _update(MANIFEST, lambda it: it.replace(b'"document_id":"inv_', b'"document_id":"inv_x', 1)),
        "la chaîne n'en dit rien",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_whatever_is_changed_in_an_export_is_found(
    files: dict[str, bytes], verdict: Callable[..., Verdict], name: str
) -> None:
    attack, message = ATTACKS[name]
    before = dict(files)

    attack(files)

    assert files != before
    told = verdict(files)
    assert told.code == 1, told.said
    assert message in told.said
    assert "PAS intact" in told.said
    assert verdict(before).code == 0


DEEP = b"[" * 100_000
NO_JSON = (b"", b"{", b"null", b"[]", b"[1]", b"1", b'"a"', b"\xff\xfe", b"{}", DEEP, b'{"a":' * 50_000, b"9" * 6000)


@pytest.mark.parametrize("name", [MANIFEST, CHAIN, HEADS, TEXT])
@pytest.mark.parametrize("content", NO_JSON, ids=lambda content: repr(content[:9]))
def test_what_is_no_export_is_said_to_be_none(
    files: dict[str, bytes], verdict: Callable[..., Verdict], name: str, content: bytes
) -> None:
    told = verdict({**files, name: content if name in {MANIFEST, TEXT} else content + b"\n"})

    assert (told.code, "n'est pas un export lisible (" in told.said) == (2, True), told.said
    assert name in told.said


STRANGE: tuple[Any, ...] = (
    None,
    0,
    -1,
    1.5,
    True,
    "",
    "x",
    "\x1b[2J",
    [],
    [None],
    {},
    {"a": {}},
    10**19,
    "9" * 5000,
    "2026-11-24",
)


def _leaves(held: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON value."""
    if isinstance(held, dict):
        return [(held, key) for key in held] + [one for value in held.values() for one in _leaves(value)]
    if isinstance(held, list):
        return [(held, rank) for rank in range(len(held))] + [one for value in held for one in _leaves(value)]
    return []


@pytest.mark.parametrize("name", [MANIFEST, CHAIN, HEADS, TEXT])
def test_nothing_strange_in_a_file_is_more_than_said(
    files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Each value of a file is replaced and removed in turn: never a trace, and only what is not proven passes."""
    folder = tmp_path / "export"
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    lines = files[name].splitlines()
    rank = min(len(lines) - 1, 4)  # of the chain, an issue
    for place in range(len(_leaves(json.loads(lines[rank])))):
        for strange in (*STRANGE, ...):
            held = json.loads(lines[rank])
            parent, key = _leaves(held)[place]
            if strange is ...:
                del parent[key]
            elif type(parent[key]) is type(strange) and parent[key] == strange:
                continue
            else:
                parent[key] = strange
            changed = [*lines[:rank], json.dumps(held).encode(), *lines[rank + 1 :]]
            (folder / name).write_bytes(b"\n".join(changed) + (b"\n" if name in {CHAIN, HEADS} else b""))

            code = verify_export.main([str(folder)])

            said = capsys.readouterr().out
            unproven = name == MANIFEST and key in {"bulk_job_id", "started_at"}
            unproven |= name == HEADS and key == "fixed_at"
            assert code in ({0, 1, 2} if unproven else {1, 2}), (key, strange, said)
            assert (code == 2) == ("n'est pas un export lisible (" in said), (key, strange, said)
            assert "\x1b" not in said


@pytest.mark.parametrize("name", [MANIFEST, CHAIN, HEADS])
def test_a_proof_that_is_gone_is_named(files: dict[str, bytes], verdict: Callable[..., Verdict], name: str) -> None:
    del files[name]

    told = verdict(files)

    assert (told.code, f"{name} manque" in told.said) == (2, True)


def test_lines_are_neither_empty_nor_cut_nor_endless(files: dict[str, bytes], verdict: Callable[..., Verdict]) -> None:
    chain = files[CHAIN]

    for changed in (b"\n\n" + chain.replace(b"\n", b"\n\n"), chain[:-1], chain + b"a" * (2 << 20) + b"\n"):
        told = verdict({**files, CHAIN: changed})
        assert (told.code, "une ligne est vide ou coupée" in told.said) == (2, True)
    told = verdict({**files, HEADS: files[HEADS].replace(b'{"', b'{"day":"1999-01-01","', 1)})
    assert (told.code, "n'est pas du JSON valable" in told.said) == (2, True)


def test_what_systems_leave_behind_is_no_error(files: dict[str, bytes], verdict: Callable[..., Verdict]) -> None:
    left = (".DS_Store", "preuves/.DS_Store", "Thumbs.db", "preuves/desktop.ini", "__MACOSX/._F2026-00003.pdf")

    assert verdict({**files, **dict.fromkeys(left, b"")}).code == 0


def test_a_zip_in_which_a_name_stands_twice_is_refused(
    files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for further in (PDF, PDF.upper()):
        path = _packed(files, tmp_path / "export.zip")
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as packed:
            warnings.simplefilter("ignore")
            packed.writestr(further, b"%PDF")

        assert verify_export.main([str(path)]) == 2
        assert f"deux fichiers portent le nom {further}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["../F.pdf", "/etc/F.pdf", "a/../../F.pdf", "..\\F.pdf", "C:/F.pdf", ".."])
def test_a_zip_whose_names_leave_it_is_refused(
    files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert verify_export.main([str(_packed({**files, name: b""}, tmp_path / "export.zip"))]) == 2
    assert "sort du dossier" in capsys.readouterr().out


@pytest.mark.parametrize("name", [PDF, MANIFEST, HEADS, TEXT, "other.bin"])
def test_what_is_larger_than_any_file_of_ours_is_not_unpacked(
    files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = _packed({**files, name: bytes(65 << 20)}, tmp_path / "export.zip")

    tracemalloc.start()
    code = verify_export.main([str(path)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (code, f"{name} fait plus de 64 Mo" in capsys.readouterr().out) == (2, True)
    assert peak < 8 << 20


def test_a_chain_without_end_is_read_line_by_line(files: dict[str, bytes], tmp_path: Path) -> None:
    """It may be longer than any other file; what is no chain is not read to its end."""
    path = _packed({**files, CHAIN: b'{"sequence":7}\n' * (5 << 20)}, tmp_path / "export.zip")

    tracemalloc.start()
    code = verify_export.main([str(path)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert code == 1
    assert peak < 8 << 20


def test_a_file_that_is_larger_than_it_says_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    """In a ZIP whose directory says so, and in a folder."""
    path = _packed({**files, PDF: bytes(65 << 20)}, tmp_path / "export.zip")
    content = path.read_bytes()
    path.write_bytes(content.replace((65 << 20).to_bytes(4, "little"), (1 << 20).to_bytes(4, "little")))
    folder = tmp_path / "export"
    for name, held in {**files, PDF: bytes(65 << 20)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(held)

    assert verify_export.main([str(path)]) == 2
    assert verify_export.main([str(folder)]) == 2


def test_a_damaged_zip_is_said_to_be_one(
    files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = _packed(files, tmp_path / "export.zip").read_bytes()
    path = tmp_path / "damaged.zip"
    for at in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        assert verify_export.main([str(path)]) in {0, 1, 2}
        path.write_bytes(content[:at])
        assert verify_export.main([str(path)]) == 2
    assert "Errno" not in capsys.readouterr().out


def test_how_it_is_called(files: dict[str, bytes], verdict: Callable[..., Verdict]) -> None:
    for asked in ("--help", "-h"):
        told = verdict(files, asked)
        assert (told.code, "python -I verifier.py --avec ancien.zip" in told.said) == (0, True)
    for given, message in (
        (["--nothing"], "l'option --nothing est inconnue"),
        (["-x"], "l'option -x est inconnue"),
        (["--avec"], "quel export plus ancien"),
        (["a", "b"], "b est de trop"),
        (["nowhere"], "ce fichier n'existe pas"),
        (["--english", "nowhere"], "there is no such file"),
        (["--avec", "nowhere"], "ce fichier n'existe pas"),
    ):
        told = verdict(files, *given)
        assert (told.code, message in told.said) == (2, True), told.said


@pytest.mark.parametrize("module", ["json", "hashlib", "zipfile", "__future__", "typing", "os", "re", "contextlib"])
def test_a_module_beside_the_program_is_not_run(files: dict[str, bytes], tmp_path: Path, module: str) -> None:
    """Even without `-I`; from within the folder and from elsewhere."""
    files[f"{module}.py"] = b"print('HIJACKED')\nraise SystemExit(0)\n"
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    for program, at in ((VERIFIER, tmp_path), (str(tmp_path / VERIFIER), Path.cwd())):
        ran = subprocess.run(
            [sys.executable, program],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=at,
            env={"PYTHONPATH": ":."},
        )
        assert "HIJACKED" not in ran.stdout
        assert (ran.returncode, f"{module}.py : {FOREIGN}" in ran.stdout) == (1, True), ran.stdout + ran.stderr


def test_without_a_head_an_export_is_no_more_than_consistent(
    files: dict[str, bytes], verdict: Callable[..., Verdict]
) -> None:
    told = verdict({**files, HEADS: b""})

    assert told.code == 0
    assert (
        "Cohérent ; aucune tête archivée ne fixe encore la chaîne : gardez cet export et comparez-le au suivant."
        in told.said
    )
    assert "intact" not in told.said
    assert "no archived head pins the chain yet" in verdict({**files, HEADS: b""}, "--english").said


def test_heads_before_all_documents_pin_none_of_them(company: Company, verdict: Callable[..., Verdict]) -> None:
    told = verdict(company.export(company.documents[5].invoice_id))

    assert told.code == 0
    assert "aucune tête archivée ne fixe encore ces documents" in told.said
    assert "intact" not in told.said


def test_what_stands_after_the_last_head_is_said(files: dict[str, bytes], verdict: Callable[..., Verdict]) -> None:
    told = verdict(files)

    behind = len(files[CHAIN].splitlines()) - json.loads(files[HEADS].splitlines()[-1])["sequence"]
    assert f"{behind} inscriptions et 2 documents après la dernière tête, que la prochaine fixera" in told.said
    assert verdict({**files, HEADS: _drop_line(files[HEADS], -1)}).said.count("4 documents après la dernière") == 1


def _kept(files: dict[str, bytes], path: Path) -> str:
    return str(_packed(files, path / f"{hashlib.sha256(repr(files).encode()).hexdigest()[:9]}.zip"))


def test_an_older_export_agrees_with_the_next_one(
    company: Company, files: dict[str, bytes], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    old = _kept(files, tmp_path)
    company.night()
    company.bills()
    company.shop.place_events()
    new = company.export(*(issued.invoice_id for issued in company.documents[1:]))

    told = verdict(new, "--avec", old)

    assert told.code == 0, told.said
    assert "inscriptions et 5 documents dans les deux exports, les mêmes" in told.said
    assert "intact" in told.said
    assert "in both exports, the same" in verdict(new, "--with", old).said
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(old) as packed:
        packed.extractall(unpacked)
    assert verdict(new, "--avec", str(unpacked)).code == 0


def _forged(files: dict[str, bytes]) -> dict[str, bytes]:
    """A chain made again from a place on, without heads: nothing in the export itself shows it."""
    forged = {**files, HEADS: b""}
    forged[CHAIN] = _resealed(forged[CHAIN].splitlines(), 6, lambda place: place.update(actor="somebody"))
    last = hashlib.sha256(forged[CHAIN].splitlines()[-1]).hexdigest()
    _listing(lambda held: held["chain"]["last"].update(chain_hash=last))(forged)
    return forged


def test_a_chain_that_was_made_again_does_not_agree_with_an_older_export(
    files: dict[str, bytes], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    forged = _forged(files)
    assert verdict(forged).code == 0

    told = verdict(forged, "--avec", _kept(files, tmp_path))

    assert told.code == 1
    assert "l'inscription 7 n'est plus celle de l'ancien export" in told.said


def test_the_head_of_a_day_stays_the_same(
    files: dict[str, bytes], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    moved = {**files, HEADS: _changed(files[HEADS], b'"fixed_at":"2026-11-25T09', b'"fixed_at":"2026-11-25T10')}
    assert verdict(moved).code == 0

    told = verdict(moved, "--avec", _kept(files, tmp_path))

    assert (told.code, "la tête du 2026-11-24 n'est plus la même" in told.said) == (1, True)


def test_an_older_export_must_be_one_and_the_same_company_s(
    files: dict[str, bytes], verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    damaged = verdict(files, "--avec", _kept({**files, PDF: b"%PDF"}, tmp_path))
    assert (damaged.code, "F2026-00003 n'est plus" in damaged.said or "a été changé" in damaged.said) == (1, True)
    assert "il n'est plus celui de l'ancien export" in damaged.said
    other = dict(files)
    ATTACKS["another company"][0](other)
    foreign = verdict(files, "--avec", _kept(other, tmp_path))
    assert (foreign.code, "l'ancien export est d'une autre entreprise" in foreign.said) == (1, True)
    del other[MANIFEST]
    assert verdict(files, "--avec", _kept(other, tmp_path)).code == 2


def test_exports_of_other_times_say_nothing_of_each_other(
    company: Company, verdict: Callable[..., Verdict], tmp_path: Path
) -> None:
    for _ in range(4):
        company.night()
        company.bills()
    company.night()
    company.shop.place_events()
    old, new = (company.export(company.documents[at].invoice_id) for at in (0, -1))

    told = verdict(new, "--avec", _kept(old, tmp_path))

    assert (told.code, "aucune inscription n'est dans les deux" in told.said) == (0, True)


@pytest.mark.parametrize("change", ["gone", "another", "row"])
def test_heads_are_exported_as_they_are_locked(company: Company, change: str) -> None:
    """The table says something else than the store: no export, the job says why, and the caller is told."""
    documents, store = company.shop.documents, company.shop.repositories.store
    [first, second] = sorted(key for key in documents.stored if "/heads/" in key)
    if change == "gone":
        del documents.stored[first]
    elif change == "another":
        documents.stored[second] = documents.stored[second].replace(b'"sequence":', b'"sequence":1')
    else:
        key = next(key for key, head in store.chain_heads.items() if head and head.key == first)
        held = store.chain_heads[key]
        assert held is not None
        store.chain_heads[key] = replace(held, chain_hash="0" * 64)

    with pytest.raises(ChainHeadDiffers):
        company.export(*(issued.invoice_id for issued in company.documents))

    [job] = store.bulk_jobs.values()
    assert (job.state, job.error, job.archive) == (BulkState.STOPPED, "ChainHeadDiffers", None)
    assert company.archives.texts == {}


def test_the_heads_of_an_export_are_the_stored_objects(company: Company, files: dict[str, bytes]) -> None:
    stored = company.shop.documents.stored

    assert files[HEADS] == b"".join(stored[key] + b"\n" for key in sorted(stored) if "/heads/" in key)


def test_heads_are_read_a_bounded_number_of_times(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        company.night()
        company.bills()
    company.night()
    company.shop.clock.advance(timedelta(minutes=3))
    monkeypatch.setattr(export_proofs, "MAX_HEADS", 3)

    exported = company.export(company.documents[0].invoice_id, company.documents[-1].invoice_id)

    days = [json.loads(line)["day"] for line in exported[HEADS].splitlines()]
    kept = sorted(key[-15:-5] for key in company.shop.documents.stored if "/heads/" in key)
    assert days == [kept[0], *kept[-2:]]


def test_a_head_whose_object_is_not_stored_yet_is_left_out(
    company: Company, verdict: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that died between saying what the head is and storing it: the next hour goes on."""

    def fail(*_given: object, **_named: object) -> None:
        raise DependencyUnavailable

    with monkeypatch.context() as failing:
        failing.setattr(company.shop.documents, "put", fail)
        with pytest.raises(DependencyUnavailable):
            company.night()

    exported = company.export(*(issued.invoice_id for issued in company.documents))

    assert len(exported[HEADS].splitlines()) == 2
    assert verdict(exported).code == 0


def test_the_program_and_the_export_name_the_same_files() -> None:
    program = verify_export
    assert (
        FORMAT, MANIFEST, CHAIN, HEADS, f"{FOLDER}/",
    ) == (program.FORMAT, program.MANIFEST, program.CHAIN, program.HEADS, program.PROOFS)  # fmt: skip


def test_the_program_runs_on_what_companies_have() -> None:
    """Python 3.9 and its standard library."""
    tree = ast.parse(verifier(), feature_version=(3, 9))
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)
    assert "__future__" not in imported  # a file that would be looked for beside the program
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    arguments = [one for function in functions for one in (*function.args.args, *function.args.kwonlyargs)]
    evaluated = [function.returns for function in functions] + [one.annotation for one in arguments]
    assert not [one for one in evaluated if isinstance(one, ast.BinOp)]  # a union is evaluated since 3.10 only


def test_an_export_waits_for_the_places_of_the_last_minutes(company: Company) -> None:
    issued = company.bills()

    with pytest.raises(DependencyUnavailable):
        company.export(issued.invoice_id)
    company.shop.place_events()
    assert CHAIN in company.export(issued.invoice_id)


def test_what_never_got_its_place_is_exported_and_found(
    company: Company, verdict: Callable[..., Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = company.bills()
    monkeypatch.setattr(export_proofs, "PLACED_WITHIN", timedelta(0))

    told = verdict(company.export(issued.invoice_id))

    assert told.code == 1
    assert "F2026-00007 : la chaîne n'en dit rien" in told.said


def test_an_export_is_the_same_when_it_is_made_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finisher that died is run again, while the company goes on and another night passes."""
    taken: list[dict[str, str]] = []
    pack = FakeArchives.archive

    def twice(self: FakeArchives, key: str, files: Any, texts: Any = (), **changes: Any) -> Any:
        made = pack(self, key, files, texts, **changes)
        taken.append(self.texts[key])
        if len(taken) == 1:
            company.bills()
            company.night()
            raise DependencyUnavailable
        return made

    monkeypatch.setattr(FakeArchives, "archive", twice)
    chosen = company.documents[1].invoice_id
    with pytest.raises(DependencyUnavailable):
        company.export(chosen)
    store = company.shop.repositories.store
    [job] = [one for one in store.bulk_jobs.values() if one.state is BulkState.RUNNING]
    bulk_jobs.finish_bulk_job(
        job.tenant_id,
        job.bulk_job_id,
        run=1,
        bulk_jobs=company.shop.repositories.bulk_jobs,
        archives=company.archives,
        chains=company.shop.repositories.chains,
        documents=company.shop.documents,
        verifier=verifier(),
        clock=company.shop.clock,
    )

    assert taken[0] == taken[1]


def test_quotes_are_proven_by_the_chain(
    company: Company, files: dict[str, bytes], verdict: Callable[..., Verdict]
) -> None:
    told = verdict(files)
    assert "devis       1 sur 1 : le PDF est celui de la chaîne" in told.said

    alone = company.export(company.quote.quote_id)

    told = verdict(alone)
    assert told.code == 0, told.said
    assert "1 sur 1" in told.said
    assert QUOTE in alone
    assert not [name for name in alone if name.startswith(f"{FOLDER}/documents/")]
    assert verdict({**alone, QUOTE: b"%PDF"}).code == 1


def test_numbers_that_make_one_file_name_are_told_apart(company: Company, verdict: Callable[..., Verdict]) -> None:
    """As the product tells them apart: the program makes the same names."""
    manifest = verify_export.Manifest(
        {
            "format": FORMAT,
            "tenant_id": "ten_1",
            "chain": {"after": {"sequence": 0, "chain_hash": ""}, "last": {"sequence": 1, "chain_hash": ""}},
            "documents": [
                {"document_id": f"quo_{rank}", "number": number, "pdf": name, "sha256": ""}
                for rank, (number, name) in enumerate(
                    zip(STRANGE_NUMBERS, _archive_names(STRANGE_NUMBERS), strict=True)
                )
            ],
        }
    )
    report = verify_export.Report(english=False)

    verify_export._names(manifest, report)

    assert report.wrong == 0
    assert len(set(_archive_names(STRANGE_NUMBERS))) == len(STRANGE_NUMBERS)


STRANGE_NUMBERS = ("F/2026/1", "F-2026-1", "f-2026-1", "F 2026 1", "É.1_a", "..", "F-2026-1-2")


def _archive_names(numbers: tuple[str, ...]) -> tuple[str, ...]:
    return archive_names(
        tuple(
            BulkResult(rank=rank, document_id=f"inv_{rank}", outcome=BulkOutcome.DONE, number=number)
            for rank, number in enumerate(numbers, start=1)
        )
    )

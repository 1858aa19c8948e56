"""An export proves itself: real PDFs and XML, the chain and its heads, and the program that a customer runs on it."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.verifier import verify_export
from billing.domain.bulk import BulkOperation, BulkState
from billing.domain.chain_head import ChainHead
from billing.domain.errors import DependencyUnavailable
from billing.domain.export_proof import CHAIN, FOLDER, FORMAT, HEADS, MANIFEST, READ_ME, VERIFIER
from billing.domain.invoice import IssuedInvoice
from billing.runtime.archives import verifier
from billing.usecases import bulk_jobs, export_proofs
from billing.usecases.chain_heads import keep_chain_heads
from tests.fakes.bulk_jobs import FakeArchives
from tests.usecases.conftest import Shop

NUMBERS = [f"F2026-{rank:05d}" for rank in range(1, 7)]


@dataclass
class Company:
    """Issues, renders and places events at once; its heads are kept in the night."""

    shop: Shop
    archives: FakeArchives = field(init=False)
    documents: list[IssuedInvoice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.archives = FakeArchives(self.shop.documents)

    def bills(self, **changes: Any) -> IssuedInvoice:
        issued = self.shop.issue(**changes)
        self.shop.render(issued, renderer=PdfDocumentRenderer(factur_x), xml=factur_x)
        self.shop.record(issued)
        self.documents.append(issued)
        self.shop.clock.advance(timedelta(minutes=3))
        return issued

    def night(self) -> None:
        self.shop.place_events()
        self.shop.clock.advance(timedelta(days=1))
        keep_chain_heads(chains=self.shop.repositories.chains, documents=self.shop.documents, clock=self.shop.clock)

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
    """Two invoices on each of three days; the heads of two nights."""
    made = Company(shop)
    for day in range(3):
        made.bills()
        made.bills()
        if day < 2:
            made.night()
    made.shop.place_events()
    return made


@pytest.fixture
def files(company: Company) -> dict[str, bytes]:
    return company.export(*(issued.invoice_id for issued in company.documents))


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
        assert "Traceback" not in ran.stderr
        return Verdict(ran.returncode, ran.stdout)

    return verify


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
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)

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


def _double_line(content: bytes, rank: int) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([*lines[: rank + 1], *lines[rank:]])


TEXT = "preuves/documents/F2026-00003.json"
PDF = "F2026-00003.pdf"
Attack = Callable[[dict[str, bytes]], None]


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
    "a file beside the proofs": (lambda files: files.update({"preuves/autre.json": b"{}"}), "n'a rien à faire là"),
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


def test_what_is_no_export_is_said_to_be_none(files: dict[str, bytes], verdict: Callable[..., Verdict]) -> None:
    for name, content in ((MANIFEST, b"{"), (MANIFEST, b"{}"), (CHAIN, b"nothing\n"), (CHAIN, b"\xff\n")):
        told = verdict({**files, name: content})
        assert (told.code, "lisible" in told.said) == (2, True)


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
        verifier=verifier(),
        clock=company.shop.clock,
    )

    assert taken[0] == taken[1]


def test_quotes_are_exported_without_a_proof(
    company: Company, files: dict[str, bytes], verdict: Callable[..., Verdict]
) -> None:
    told = verdict({**files, "D2026-00001.pdf": b"%PDF"})

    assert told.code == 0
    assert "non prouvés 1 PDF (devis) : D2026-00001.pdf" in told.said

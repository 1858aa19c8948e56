"""One document: how long, how much memory, beside a browser and other engines that print the same invoice.

Figures are printed, never asserted. Ours are PDF/A-3b with the XML inside, those of the others plain pages (Typst:
PDF/A-3b without XML). Every document is another one, so that no engine answers from what it remembers.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from lxml import etree
from pypdf import PdfReader

from billing.adapters.facturx import rules
from billing.adapters.facturx.embedding import factur_x
from billing.adapters.facturx.pdf_rules import judge_pdf
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.conformity import Judge, rules_of
from billing.domain.invoice import IssuedInvoice
from tests.benchmarks.engines import Engine, Figures, others, ours
from tests.benchmarks.measuring import alternate, p50_and_p95
from tests.benchmarks.subjects import invoice, texts_of

ROUNDS = int(os.environ.get("ZENBILLING_BENCH_ROUNDS", "150"))
ROUNDS_OF_ENGINES = int(os.environ.get("ZENBILLING_BENCH_ENGINE_ROUNDS", "20"))
STARTS = 5
SIZES = {0: "one page", 200: "200 lines"}
TARGETS = {0: 5.0, 200: 40.0}
IN_A_ROW = 1000
JUDGED_IN_A_ROW = 300


def test_cpu_of_one_document() -> None:
    renderer = PdfDocumentRenderer(factur_x)
    subjects = {lines: itertools.cycle([invoice(lines, rank) for rank in range(20)]) for lines in SIZES}
    taken = alternate(
        [lambda made=made: renderer.render(next(made), logo=None) for made in subjects.values()],  # type: ignore[misc]
        rounds=ROUNDS,
        clock=time.process_time,
    )
    print(f"\n\nCPU of one PDF/A-3b with its XML, {ROUNDS} rounds, alternating\n")
    print(f"{'ms':<12} {'p50':>8} {'p95':>8} {'target p50':>11}")
    for lines, figures in zip(SIZES, taken, strict=True):
        p50, p95 = p50_and_p95(figures)
        print(f"{SIZES[lines]:<12} {p50:>8.1f} {p95:>8.1f} {f'≤ {TARGETS[lines]:.0f}':>11}")


def test_against_other_engines(tmp_path: Path) -> None:
    found, missing = others()
    starts = {"ours": ours, **found}
    cold: dict[str, list[float]] = {name: [] for name in starts}
    for rank in range(STARTS):
        for name, start in starts.items():
            cold[name].append(_start_to_first(start, rank))
    with ExitStack() as stack:
        engines = {name: stack.enter_context(start()) for name, start in starts.items()}
        for name, engine in engines.items():
            _hold_the_same_texts(engine, tmp_path / f"{name}.pdf")
        taken = {lines: _in_turn(engines, lines) for lines in SIZES}

    print(f"\n\nThe same invoice printed by each, warm, {ROUNDS_OF_ENGINES} rounds, alternating: p50\n")
    print(f"{'':<11} {'start':>6}" + "".join(f" │ {said:^34}" for said in SIZES.values()) + f" │ {'memory':>6}")
    print(
        f"{'':<11} {'ms':>6}" + f" │ {'CPU ms':>7} {'ratio':>6} {'ms':>6} {'ratio':>6} {'kB':>5}" * 2 + f" │ {'MB':>6}"
    )
    for name in engines:
        memory = max(one["memory_mb"] for lines in SIZES for one in taken[lines][name])
        cells = "".join(_cells(taken[lines][name], taken[lines]["ours"]) for lines in SIZES)
        print(f"{name:<11} {median(cold[name]):>6.0f}{cells} │ {memory:>6.0f}")
    print(f"\nRatio: to ours. Start: from nothing running to the first PDF, median of {STARTS}.")
    print("Memory: the most of the process; Chromium's are all of its processes together, in CPU as in memory.")
    for said in missing:
        print(said)


def test_start_and_memory_of_our_processes() -> None:
    print(f"\n\nA fresh process, import to first document, median of {STARTS}\n")
    print(f"{'':<26} {'start ms':>9} {'peak MB':>8}")
    for name, judge in (("drawn", False), ("drawn and judged", True)):
        taken, peak = [], 0.0
        for rank in range(STARTS):
            started = time.perf_counter()
            with ours() as engine:
                figures = engine.print(0, rank, judge=judge)
                taken.append((time.perf_counter() - started) * 1000)
                peak = max(peak, figures["memory_mb"])
        print(f"{name:<26} {median(taken):>9.0f} {peak:>8.0f}")


def test_judges_apart() -> None:
    print(f"\n\nJudging one document, CPU ms p50, {ROUNDS_OF_ENGINES} rounds\n")
    print(f"{'':<12} {'XSD':>8} {'EN 16931':>9} {'BR-FR':>8} {'PDF':>8} {'all':>8}")
    for lines in (5, 200):
        taken = alternate(_judges(invoice(lines, 1)), rounds=ROUNDS_OF_ENGINES, clock=time.process_time)
        xsd, general, french, pdf, together = map(median, taken)
        print(f"{f'{lines} lines':<12} {xsd:>8.1f} {general:>9.1f} {french:>8.1f} {pdf:>8.1f} {together:>8.1f}")


def test_memory_of_many_in_a_row() -> None:
    print("\n\nPeak memory of one process, MB, after so many different documents in a row\n")
    for name, count, judge in (("drawn", IN_A_ROW, False), ("drawn and judged", JUDGED_IN_A_ROW, True)):
        marks = sorted({1, count // 5, count // 2, count})
        with ours() as engine:
            peaks = {rank: engine.print(0, rank, judge=judge)["memory_mb"] for rank in range(1, count + 1)}
        print(f"{name:<18}" + "".join(f" {mark:>7}: {peaks[mark]:.1f}" for mark in marks))


def _start_to_first(start: Callable[[], Engine], rank: int) -> float:
    started = time.perf_counter()
    with start() as engine:
        engine.print(0, rank)
        return (time.perf_counter() - started) * 1000


def _judges(made: IssuedInvoice) -> list[Callable[[], object]]:
    """Each judge alone, then all of them as the workflow calls them."""
    xml = factur_x(made.document).content
    pdf = PdfDocumentRenderer(factur_x).render(made, logo=None)
    judging = rules_of(made.document.issue_date)
    schema, general, french = rules._judges(judging.name)
    return [
        lambda: schema.validate(etree.fromstring(xml)),
        lambda: list(rules._broken(Judge.EN_16931, general, xml)),
        lambda: list(rules._broken(Judge.BR_FR, french, xml)),
        lambda: judge_pdf(pdf, xml),
        lambda: rules.FacturXRules().judge(xml, pdf, judging),
    ]


def _hold_the_same_texts(engine: Engine, path: Path) -> None:
    """What an engine is measured at is the invoice that ours prints, to its last line."""
    engine.print(200, 1, keep=str(path))
    printed = "".join(page.extract_text() for page in PdfReader(path).pages)
    texts = texts_of(invoice(200, 1).document)
    wanted = [texts["number"], texts["due"][-1], texts["mentions"][-1], *(row[0] for row in texts["rows"])]
    assert [text for text in wanted if _plain(text) not in _plain(printed)] == []


def _plain(text: str) -> str:
    return "".join(text.split())


def _in_turn(engines: dict[str, Engine], lines: int) -> dict[str, list[Figures]]:
    taken: dict[str, list[Figures]] = {name: [] for name in engines}
    for rank in range(ROUNDS_OF_ENGINES + 1):
        for name, engine in engines.items():
            figures = engine.print(lines, rank)
            if rank:  # the first warms up
                taken[name].append(figures)
    return taken


def _cells(taken: list[Figures], reference: list[Figures]) -> str:
    cells = " │"
    for kind, width in (("cpu_ms", 7), ("ms", 6)):
        p50 = median(one[kind] for one in taken)
        cells += f" {p50:>{width}.1f} {p50 / median(one[kind] for one in reference):>6.1f}"
    return f"{cells} {median(one['bytes'] for one in taken) / 1000:>5.0f}"

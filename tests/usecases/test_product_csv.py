"""Files of products: all or nothing, each line once, each reference of one product."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from billing.api.product_csv import product_rows
from billing.domain.access import Caller
from billing.domain.errors import FieldErrors
from billing.domain.parties import Product
from billing.domain.product_csv import ProductImport
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.ports.paging import PageRequest
from billing.usecases.product_csv import CLAIMED_FOR, import_product_csv
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.repositories import FakeProducts
from tests.usecases.conftest import Shop

HEADER = "Référence;Désignation;Type;Unité;Prix unitaire HT;TVA;Motif d'exonération\n"
FILE = (
    HEADER + "CG-01;Conception graphique;service;heures;85,00 €;20 %;\n"
    "LA-96;Livre d'atelier;bien;unité;1 234,5;5,5;\n"
    ";Formation;prestation;DAY;700;;vatex-fr-cgi261-4-4\n"
)


def imported(
    shop: Shop,
    text: str = FILE,
    *,
    dry_run: bool = False,
    once: IdempotentRequest | None = None,
    products: FakeProducts | None = None,
) -> ProductImport:
    return import_product_csv(
        shop.caller,
        product_rows(text.encode()),
        dry_run=dry_run,
        once=once or shop.once("importProductCsv"),
        products=products or shop.repositories.products,
        clock=shop.clock,
        ids=shop.ids,
    )


def names(shop: Shop) -> list[str]:
    page = shop.repositories.products.list(shop.caller, PageRequest(limit=100), archived=False)
    return [row.name for row in page.items]


def test_each_line_becomes_a_product_with_its_price(shop: Shop) -> None:
    report = imported(shop)

    held = shop.repositories.products
    made = [held.read(shop.caller, one.resource_id).description for one in report.imported]
    assert [(one.reference, one.unit, one.unit_price, one.vat.rate) for one in made] == [
        ("CG-01", "HUR", Decimal(85), Decimal(20)),
        ("LA-96", "C62", Decimal("1234.5"), Decimal("5.5")),
        ("", "DAY", Decimal(700), Decimal(0)),
    ]
    assert made[2].vat.exemption_code == "VATEX-FR-CGI261-4-4"
    prices = held.prices(shop.caller, report.imported[0].resource_id, PageRequest()).items
    assert [price.unit_price for price in prices] == [Decimal(85)]


@pytest.mark.parametrize(
    ("line", "pointers"),
    [
        (";Sans prix;bien;unité;;20;", {"unit_price"}),
        (";Deux virgules;bien;unité;1.234,50;20;", {"unit_price"}),
        (";Sans taux;bien;unité;1;;", {"vat_rate"}),
        (";Unité inconnue;bien;brouette;1;20;", {"unit"}),
        (";Type inconnu;idée;unité;1;20;", {"kind"}),
        (";Dé \U0001f3b2;bien;unité;1;20;", {"name"}),
        ("cg-01;Ligne 2 à nouveau;bien;unité;1;20;", {"reference"}),
        ("PRISE;D'un autre;bien;unité;1;20;", {"reference"}),
    ],
)
def test_one_wrong_line_stops_them_all(shop: Shop, line: str, pointers: set[str]) -> None:
    shop.product(name="Autre", reference="prise")
    expected = {f"/rows/5/{pointer}" for pointer in pointers}

    with pytest.raises(FieldErrors) as refused:
        imported(shop, f"{FILE}{line}\n")

    assert {error.pointer for error in refused.value.errors} == expected
    assert names(shop) == ["Autre"]
    tried = imported(shop, f"{FILE}{line}\n", dry_run=True)
    assert (tried.errors, tried.imported) == (refused.value.errors, ())
    assert imported(shop).rows == 3  # nothing of the refused ones is held


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_and_the_same_request_again_import_each_line_once(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        once = shop.once("importProductCsv")
        crash = CrashPoint(at, after)
        with contextlib.suppress(Crashed):
            imported(shop, once=once, products=crash.watch(shop.repositories.products))
        if crash.calls < at:
            break

        with contextlib.suppress(AlreadyAnswered):
            imported(shop, once=once)

        assert names(shop) == ["Conception graphique", "Formation", "Livre d'atelier"]
        told = {subject: events for (_, subject), events in shop.repositories.store.events.items()}
        assert [len(events) for subject, events in told.items() if subject.startswith("prd_")] == [1, 1, 1]
        with pytest.raises(AlreadyAnswered):
            imported(shop, once=once)
    assert at > 6


class Overtaken(FakeProducts):
    """Somebody wants the last reference: when nothing is claimed yet, or when the first row is written."""

    def __init__(self, shop: Shop, *, early: bool) -> None:
        super().__init__(shop.repositories.store)
        self._shop = shop
        self._early = early
        self.refused = False

    def claim(self, caller: Caller, products: Sequence[Product], **options: object) -> None:
        if self._early:
            self._want()
        super().claim(caller, products, **options)  # type: ignore[arg-type]
        if not self._early:
            self._want()

    def _want(self) -> None:
        try:
            self._shop.product(name="Autre", reference="LA-96")
        except Exception:  # noqa: BLE001 - it shows below which
            self.refused = True


def test_a_reference_taken_just_before_stops_them_all(shop: Shop) -> None:
    with pytest.raises(FieldErrors) as refused:
        imported(shop, products=Overtaken(shop, early=True))

    assert [error.pointer for error in refused.value.errors] == ["/rows/3/reference"]
    assert names(shop) == ["Autre"]


def test_nobody_takes_a_reference_while_rows_are_written(shop: Shop) -> None:
    held = Overtaken(shop, early=False)

    imported(shop, products=held)

    assert held.refused
    assert len(names(shop)) == 3


def test_what_a_crash_claimed_is_free_after_an_hour(shop: Shop) -> None:
    # claimed, then gone: read, errors, claim
    with contextlib.suppress(Crashed):
        imported(shop, products=CrashPoint(3, after=True).watch(shop.repositories.products))
    assert [error.pointer for error in imported(shop, dry_run=True).errors] == [
        "/rows/2/reference",
        "/rows/3/reference",
    ]

    shop.clock.advance(CLAIMED_FOR + timedelta(seconds=1))

    assert imported(shop).rows == 3

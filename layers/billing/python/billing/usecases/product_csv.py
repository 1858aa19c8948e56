"""Files of products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from billing.domain.access import Caller, Permission
from billing.domain.csv_import import CsvRow, ImportedRow
from billing.domain.csv_table import Exported, write_csv
from billing.domain.errors import Busy, FieldError, FieldErrors, ProductReferenceTaken
from billing.domain.events import EventType
from billing.domain.parties import Product, ProductDescription
from billing.domain.printing import Text, product_texts
from billing.domain.product_csv import PRODUCT_COLUMNS, ProductImport, ProductRow, product_cells
from billing.domain.product_reference import reference_key, taken_error
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import PageRequest
from billing.ports.repositories import Products
from billing.usecases.csv_import import import_rows
from billing.usecases.products import product_event, product_price

CLAIMED_FOR = timedelta(hours=1)


def import_product_csv(
    caller: Caller,
    rows: Sequence[ProductRow],
    *,
    dry_run: bool,
    once: IdempotentRequest,
    products: Products,
    clock: Clock,
    ids: Ids,
) -> ProductImport:
    """The references of all rows are claimed before any is written, so that nobody takes one in between.

    Raises: FieldErrors, unless it is a dry run; AlreadyAnswered, IdempotencyKeyReused, Busy.
    """
    target = _ProductRows(caller=caller, products=products, clock=clock, ids=ids)
    return import_rows(caller, rows, target, dry_run=dry_run, once=once)


def export_product_csv(caller: Caller, page: PageRequest, *, archived: bool, products: Products) -> Exported:
    """A page of products by name, which an import reads back as it was."""
    caller.require(Permission.READ)
    found = products.whole(caller, page, archived=archived)
    rows = (product_cells(product.description) for product in found.items)
    return Exported(text=write_csv(PRODUCT_COLUMNS, rows), position=found.position)


@dataclass(slots=True, kw_only=True)
class _ProductRows:
    caller: Caller
    products: Products
    clock: Clock
    ids: Ids
    prefix: str = "prd"

    def texts(self, description: ProductDescription, at: str) -> Iterator[Text]:
        return product_texts(description, at)

    def made(self, resource_id: str, description: ProductDescription) -> Product:
        now = self.clock.now()
        return Product(
            tenant_id=self.caller.tenant_id,
            product_id=resource_id,
            version=1,
            description=description,
            archived=False,
            created_at=now,
            updated_at=now,
        )

    def reported(self, line: int, resource: Product) -> ImportedRow:
        return ImportedRow(line=line, resource_id=resource.product_id, name=resource.description.name)

    def read(self, resource_id: str, once: IdempotentRequest | None = None) -> Product:
        return self.products.read(self.caller, resource_id, once=once)

    def create(self, resource: Product, once: IdempotentRequest) -> None:
        event = product_event(EventType.PRODUCT_CREATED, self.caller, resource, self.ids)
        price = product_price(self.caller, resource)
        self.products.create(self.caller, resource, event=event, once=once, price=price)

    def errors(self, made: Sequence[tuple[int, Product]]) -> tuple[FieldError, ...]:
        """A reference that stands on an earlier line, or that another product has."""
        first: dict[str, int] = {}
        taken = self.products.taken(self.caller, [product for _, product in made])
        found = []
        for line, product in made:
            reference = product.description.reference
            other = first.setdefault(reference_key(reference), line) if reference else line
            at = f"/rows/{line}/reference"
            if product.product_id in taken:
                found.append(taken_error(reference, at))
            elif other != line:
                found.append(
                    FieldError(
                        at,
                        f"La référence « {reference} » est déjà à la ligne {other}.",
                        f"The reference '{reference}' already stands on line {other}.",
                    )
                )
        return tuple(found)

    def claim(self, made: Sequence[tuple[int, Product]]) -> None:
        errors = self.errors(made)
        if errors:
            raise FieldErrors(errors)
        products = [product for _, product in made]
        try:
            self.products.claim(self.caller, products, until=self.clock.now() + CLAIMED_FOR)
        except ProductReferenceTaken:  # in between
            errors = self.errors(made)
            raise FieldErrors(errors) if errors else Busy from None

    def warnings(
        self,
        rows: Sequence[CsvRow[ProductDescription]],  # noqa: ARG002 - products that are alike are not told
        stored: Sequence[tuple[int, Product]],  # noqa: ARG002
    ) -> tuple[None, ...]:
        return ()

"""What an import of a file comes to, whatever its rows become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from billing.domain.errors import FieldError

D = TypeVar("D")
W = TypeVar("W")


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRow(Generic[D]):
    """A line of the file: described, or with what is wrong in it at ``/rows/{line}/{field}``."""

    line: int
    description: D | None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRow:
    """What a line became."""

    line: int
    resource_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport(Generic[W]):
    """Nothing is imported by a dry run, nor when there are errors. Warnings stop nothing."""

    dry_run: bool
    rows: int
    errors: tuple[FieldError, ...] = ()
    warnings: tuple[W, ...] = ()
    imported: tuple[ImportedRow, ...] = ()

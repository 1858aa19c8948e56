"""Files as people send them: separators, encodings, titles, cells that would run."""

from __future__ import annotations

import pytest

from billing.domain.csv_table import MAX_BYTES, MAX_RECORDS, Column, read_csv, write_csv
from billing.domain.errors import InvalidInput

COLUMNS = (
    Column(field="name", title="Nom", aliases=("company",), required=True),
    Column(field="address/city", title="Ville de l'été", aliases=("city",)),
)
EXPECTED = {"name": "Crémerie, sœurs & Cie", "address/city": "Orléans"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize(
    "text",
    [
        'Nom;Ville de l\'été\r\n"Crémerie, sœurs & Cie";Orléans\r\n',
        'NAME,City\n"Crémerie, sœurs & Cie",Orléans\n\n',
        'ville de l ete;company;\n Orléans;"Crémerie, sœurs & Cie";\n;;\n',
    ],
)
def test_a_file_reads_the_same_however_it_was_saved(text: str, encoding: str) -> None:
    (record,) = read_csv(text.encode(encoding), COLUMNS)

    assert (record.line, {field: cell.strip() for field, cell in record.cells.items()}) == (2, EXPECTED)


def test_lines_count_as_a_spreadsheet_counts_them() -> None:
    records = read_csv(b'Nom;city\n"Un\nsur deux lignes";Lyon\n;\nDeux;Nice\n', COLUMNS)

    assert [record.line for record in records] == [2, 4]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Nom;Couleur\nUn;bleu\n", "Couleur"),
        (b"Nom;company\nUn;Deux\n", "company"),
        (b"city\nLyon\n", "Nom"),
        (b"Nom;city\nUn;Lyon;de trop\n", "de trop"),
        (b'Nom;city\n"Un;Lyon\n', "guillemet"),
        (b"Nom;city\n;\n", "aucune ligne"),
        (b"", "Nom"),
        ("Nom\nCr\ufffdmerie\n".encode(), "Encodage"),
        (b"Nom\n\x81\x8d\n", "Encodage"),
        (b"Nom\n" + b"Un\n" * (MAX_RECORDS + 1), str(MAX_RECORDS)),
        (b"Nom\n" + b"n" * MAX_BYTES, "1 Mo"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_csv(content, COLUMNS)

    assert told in refused.value.detail_fr


@pytest.mark.parametrize("name", ["=1+1", "+33", "-1", "@a", "\tx", "'=1", "''=1", "'t Huis", 'a "b"; c', "a\nb"])
def test_what_is_written_runs_in_no_spreadsheet_and_reads_the_same(name: str) -> None:
    written = write_csv(COLUMNS, [{"name": name}])

    assert written.startswith("\ufeffNom;Ville de l'été\r\n")
    assert written.splitlines()[1][0] not in "=+-@\t\r"
    (record,) = read_csv(written.encode(), COLUMNS)
    assert record.cells == {"name": name}

"""The check of the artefacts finds what must not ship, and the finishing step leaves nothing to find."""

import marshal
import re
import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from local.build import artefacts
from local.build.artefacts import AWS_SERVICES, RUNTIME, complaints, finish
from tests.template.reach import services_named
from tests.template.stack import ROOT

# Byte code is made by the runtime's own Python: here the one at hand stands in for it.
HERE = sys.version_info[:2]
TAG = f"cpython-{HERE[0]}{HERE[1]}"
ARM64_LIBRARY = b"\x7fELF" + bytes(14) + (183).to_bytes(2, "little") + bytes(44)
X86_LIBRARY = b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little") + bytes(44)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `sam build` leaves: copies of the functions, layers with more than they need."""
    monkeypatch.setattr(artefacts, "RUNTIME", HERE)
    monkeypatch.setattr(artefacts, "CACHE_TAG", TAG)
    files = {
        "InvoicesIssueFunction/invoices/issue.py": "handler = 1\n",
        "InvoicesReadFunction/invoices/issue.py": "handler = 1\n",
        "BillingLayer/python/billing/__init__.py": "",
        "CoreDepsLayer/python/requirements.txt": "boto3\n",
        "CoreDepsLayer/python/botocore/__init__.py": "",
        "CoreDepsLayer/python/botocore/data/endpoints.json": "{}",
        "CoreDepsLayer/python/botocore/data/dynamodb/service.json": "{}",
        "CoreDepsLayer/python/botocore/data/braket/service.json": "{}",
        "PdfDepsLayer/python/reportlab/__init__.py": "",
        "PdfDepsLayer/python/reportlab/tests/test_it.py": "",
        "PdfDepsLayer/python/reportlab/__pycache__/old.cpython-39.pyc": "old",
        "StripeDepsLayer/python/stripe/__init__.py": "",
        "ValidationDepsLayer/python/pypdf/__init__.py": "",
        "template.yaml": "    CodeUri: InvoicesIssueFunction\n    CodeUri: InvoicesReadFunction\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "PdfDepsLayer/python/_rl_accel.abi3.so").write_bytes(ARM64_LIBRARY)
    return tmp_path


def test_a_finished_build_has_nothing_to_complain_of(build: Path) -> None:
    finish(build, "2026-11-28")

    assert list(complaints(build)) == []


def test_functions_share_one_directory(build: Path) -> None:
    finish(build, "2026-11-28")

    assert (build / "template.yaml").read_text() == "    CodeUri: Functions\n    CodeUri: Functions\n"
    assert {path.name for path in build.iterdir() if path.is_dir()} == set(artefacts.SIZE_LIMITS_MB)


def test_a_second_finish_changes_nothing(build: Path) -> None:
    finish(build, "2026-11-28")
    finish(build, "2026-11-28")

    assert list(complaints(build)) == []


def test_functions_say_their_release_so_that_each_one_is_another_version(build: Path) -> None:
    for release in ("2026-11-28", "2026-11-29"):
        finish(build, release)

        assert (build / "Functions/release.txt").read_text() == f"{release}\n"


def test_only_services_in_use_are_described(build: Path) -> None:
    finish(build, "2026-11-28")
    data = build / "CoreDepsLayer/python/botocore/data"

    assert sorted(path.name for path in data.iterdir()) == ["dynamodb", "endpoints.json"]


def test_byte_code_says_where_it_lies_in_lambda(build: Path) -> None:
    finish(build, "2026-11-28")
    compiled = {
        name: marshal.loads(Path(cache_from_source(str(build / name))).read_bytes()[16:])  # noqa: S302 - just compiled
        for name in ("Functions/invoices/issue.py", "BillingLayer/python/billing/__init__.py")
    }

    assert [code.co_filename for code in compiled.values()] == [
        "/var/task/invoices/issue.py",
        "/opt/python/billing/__init__.py",
    ]


def _checked_hash(build: Path) -> None:
    path = Path(cache_from_source(str(build / "Functions/invoices/issue.py")))
    path.write_bytes(path.read_bytes()[:4] + (3).to_bytes(4, "little") + path.read_bytes()[8:])


SPOILS: dict[str, tuple[Callable[[Path], object], str]] = {
    "an artefact is missing": (
        lambda build: (build / "BillingLayer").rename(build / "OtherLayer"),
        "artefacts are",
    ),
    "a module is not compiled": (
        lambda build: (build / "Functions/invoices/new.py").write_text(""),
        "new.py has no byte code",
    ),
    "byte code of another Python": (
        lambda build: (build / "Functions/invoices/__pycache__/issue.cpython-39.pyc").write_text("old"),
        "byte code of another Python",
    ),
    "byte code that checks its source": (_checked_hash, "would be compared"),
    "byte code without source": (lambda build: (build / "Functions/invoices/issue.py").unlink(), "has no source"),
    "tests": (lambda build: (build / "PdfDepsLayer/python/tests").mkdir(), "tests should not ship"),
    "a cache": (lambda build: (build / "Functions/.mypy_cache").mkdir(), "should not ship"),
    "another processor": (
        lambda build: (build / "PdfDepsLayer/python/_x.abi3.so").write_bytes(X86_LIBRARY),
        "not built for arm64",
    ),
    "a service nothing speaks to": (
        lambda build: (build / "CoreDepsLayer/python/botocore/data/braket").mkdir(),
        "nothing speaks to",
    ),
    "a library in our own layer": (
        lambda build: (build / "BillingLayer/python/boto3").mkdir(),
        "holds more than the package billing",
    ),
    "no release": (lambda build: (build / "Functions/release.txt").unlink(), "would see no new version"),
    "too much": (
        lambda build: (build / "Functions/big.bin").write_bytes(bytes(6_000_000)),
        "Functions has 6.0 MB, more than 5",
    ),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_must_not_ship_is_found(build: Path, spoil: str) -> None:
    finish(build, "2026-11-28")
    change, complaint = SPOILS[spoil]

    change(build)

    assert any(complaint in found for found in complaints(build))


def test_every_service_the_code_speaks_to_is_shipped() -> None:
    """Clients are made by ``client("dynamodb")``: the names in our code are those botocore keeps."""
    code = [*(ROOT / "layers/billing").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    named = set().union(*(services_named(path) for path in code))

    assert {"dynamodb", "s3"} <= named <= AWS_SERVICES


def test_the_runtime_compiled_for_is_the_one_deployed() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")

    assert set(re.findall(r"python3\.\d+", template)) == {f"python{RUNTIME[0]}.{RUNTIME[1]}"}

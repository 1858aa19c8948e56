"""Artefacts as Lambda gets them: pruned, compiled, one directory of functions for all of them.

Standard library only: the Python that compiles is the runtime's, not the project's environment.
"""

import compileall
import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

RUNTIME = (3, 13)
CACHE_TAG = f"cpython-{RUNTIME[0]}{RUNTIME[1]}"
FUNCTIONS = "Functions"
RELEASE = "release.txt"
LAYER_MOUNT = "/opt"
FUNCTIONS_MOUNT = "/var/task"
# botocore describes 400 services in 28 MB; these are the ones the adapters (and credentials) speak to.
AWS_SERVICES = frozenset(
    {
        "cloudwatch",
        "codedeploy",
        "cognito-idp",
        "dynamodb",
        "dynamodbstreams",
        "lambda",
        "s3",
        "secretsmanager",
        "sesv2",
        "sns",
        "sqs",
        "sts",
        "stepfunctions",
    }
)
# Unzipped megabytes. Lambda refuses 250 for a function and its layers together.
SIZE_LIMITS_MB = {
    FUNCTIONS: 5,
    "BillingLayer": 8,
    "CoreDepsLayer": 45,
    "PdfDepsLayer": 45,
    "StripeDepsLayer": 45,
    "ValidationDepsLayer": 145,
}
EVERYWHERE = frozenset({FUNCTIONS, "BillingLayer", "CoreDepsLayer"})  # a function has one layer beside these
TOTAL_LIMIT_MB = 230

_LEFTOVERS = frozenset({"tests", "test", "bin", "examples", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
_UNCHECKED_HASH = 1
_ELF_MAGIC = b"\x7fELF"
_ELF_AARCH64 = 183
_CODE_URI = re.compile(r"(?m)^(\s+CodeUri: )(\w+Function)$")


class BuildError(Exception):
    """The artefacts cannot be finished."""


def finish(build: Path, release: str) -> None:
    """Prune and compile what `sam build` left, and let every function share one directory. Raises: BuildError.

    ``release`` is written into it: a function's alias moves on when its own code changed, and most of ours is in a
    layer, or when it is told otherwise by a parameter.
    """
    template = build / "template.yaml"
    if not template.exists():
        raise BuildError(f"{template} is missing: run `sam build` first")
    share_functions(build, template)
    for artefact in artefacts(build):
        prune(artefact)
        compile_bytecode(artefact)
    (build / FUNCTIONS / RELEASE).write_text(f"{release}\n", encoding="utf-8")


def artefacts(build: Path) -> list[Path]:
    return sorted(path for path in build.iterdir() if path.is_dir())


def share_functions(build: Path, template: Path) -> None:
    """`sam build` copies the same code once per function: one copy is compiled, zipped and uploaded instead."""
    text = template.read_text(encoding="utf-8")
    copies = [build / name for _, name in _CODE_URI.findall(text)]
    if not copies:
        return
    shared = build / FUNCTIONS
    if shared.exists():
        shutil.rmtree(shared)
    copies[0].rename(shared)
    for copy in copies[1:]:
        shutil.rmtree(copy)
    template.write_text(_CODE_URI.sub(rf"\g<1>{FUNCTIONS}", text), encoding="utf-8")


def prune(artefact: Path) -> None:
    for path in sorted(artefact.rglob("*"), reverse=True):
        if path.is_dir() and (path.name in _LEFTOVERS or path.name == "__pycache__"):
            shutil.rmtree(path)
        elif path.name == "requirements.txt" or path.suffix in {".pyc", ".pyi"}:
            path.unlink()
    for service in _described_services(artefact):
        if service.name not in AWS_SERVICES:
            shutil.rmtree(service)


def compile_bytecode(artefact: Path) -> None:
    """Byte code that Lambda takes without looking at the source, with the paths it has there. Raises: BuildError."""
    done = compileall.compile_dir(
        artefact,
        quiet=1,
        force=True,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(artefact),
        prependdir=FUNCTIONS_MOUNT if artefact.name == FUNCTIONS else LAYER_MOUNT,
    )
    if not done:
        raise BuildError(f"{artefact} does not compile")


def complaints(build: Path) -> Iterator[str]:
    """What must not be shipped as it is; nothing when all is well."""
    present = {path.name: path for path in artefacts(build)} if build.is_dir() else {}
    if set(present) != set(SIZE_LIMITS_MB):
        yield f"artefacts are {sorted(present)}, not {sorted(SIZE_LIMITS_MB)}"
    sizes = {name: _megabytes(path) for name, path in present.items()}
    for name, size in sizes.items():
        if size > SIZE_LIMITS_MB.get(name, 0):
            yield f"{name} has {size:.1f} MB, more than {SIZE_LIMITS_MB.get(name, 0)}"
    largest = sum(sizes.get(name, 0) for name in EVERYWHERE)
    largest += max((size for name, size in sizes.items() if name not in EVERYWHERE), default=0)
    if largest > TOTAL_LIMIT_MB:
        yield f"a function with the largest layer has {largest:.0f} MB, more than {TOTAL_LIMIT_MB}"
    if FUNCTIONS in present and not (present[FUNCTIONS] / RELEASE).exists():
        yield f"{FUNCTIONS} has no {RELEASE}: gradual deployments would see no new version"
    for path in present.values():
        yield from _content_complaints(path)


def _content_complaints(artefact: Path) -> Iterator[str]:
    for path in sorted(artefact.rglob("*")):
        shown = str(path.relative_to(artefact.parent))
        if path.is_file():
            yield from _file_complaints(path, shown)
        elif path.name in _LEFTOVERS:
            yield f"{shown} should not ship"
    for service in _described_services(artefact):
        if service.name not in AWS_SERVICES:
            yield f"{service.relative_to(artefact.parent)} describes a service nothing speaks to"
    if artefact.name == "BillingLayer" and [path.name for path in (artefact / "python").iterdir()] != ["billing"]:
        yield "BillingLayer holds more than the package billing"


def _file_complaints(path: Path, shown: str) -> Iterator[str]:
    if path.suffix == ".pyc":
        yield from _bytecode_complaints(path, shown)
    elif path.suffix == ".py":
        if not (path.parent / "__pycache__" / f"{path.stem}.{CACHE_TAG}.pyc").exists():
            yield f"{shown} has no byte code of Python {RUNTIME[0]}.{RUNTIME[1]}"
    elif ".so" in path.suffixes and not _is_arm64(path):
        yield f"{shown} is not built for arm64"


def _bytecode_complaints(path: Path, shown: str) -> Iterator[str]:
    if path.parent.name != "__pycache__" or not path.name.endswith(f".{CACHE_TAG}.pyc"):
        yield f"{shown} is byte code of another Python"
    elif int.from_bytes(path.read_bytes()[4:8], "little") != _UNCHECKED_HASH:
        yield f"{shown} would be compared with its source at each start"
    elif not Path(importlib.util.source_from_cache(str(path))).exists():
        yield f"{shown} has no source"


def _described_services(artefact: Path) -> list[Path]:
    data = artefact / "python" / "botocore" / "data"
    return sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []


def _is_arm64(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(20)
    return head[:4] == _ELF_MAGIC and int.from_bytes(head[18:20], "little") == _ELF_AARCH64


def _megabytes(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1_000_000


def sizes(build: Path) -> dict[str, float]:
    """Unzipped megabytes of each artefact."""
    return {path.name: _megabytes(path) for path in artefacts(build)}

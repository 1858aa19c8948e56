"""``python3.13 -m local.build`` finishes the artefacts of `sam build`; ``--check`` holds them."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from local.build.artefacts import RUNTIME, BuildError, complaints, finish, sizes

BUILD = Path(__file__).resolve().parents[2] / ".aws-sam" / "build"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on what must not ship")
    arguments = parser.parse_args()
    if not arguments.check:
        if sys.version_info[:2] != RUNTIME:
            print(f"Byte code for Lambda is made by Python {RUNTIME[0]}.{RUNTIME[1]} only.", file=sys.stderr)
            return 1
        try:
            finish(BUILD, release=datetime.now(UTC).isoformat(timespec="seconds"))
        except BuildError as error:
            print(f"The build cannot be finished: {error}.", file=sys.stderr)
            return 1
    found = list(complaints(BUILD))
    for complaint in found:
        print(complaint, file=sys.stderr)
    if not found:
        print("Artefacts (MB unzipped): " + ", ".join(f"{name} {size:.1f}" for name, size in sizes(BUILD).items()))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

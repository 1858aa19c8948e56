"""``python -m local.supervision`` writes the alarms of the template; with ``--check`` it fails when they differ."""

import argparse
import sys
from pathlib import Path

from billing.domain.indicators import INDICATORS
from local.supervision.alarms import alarms

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
BEGIN = "  # ---- Alarms: `make supervision` writes them from billing/domain/indicators.py ----\n"
END = "  # ---- End of what is written ----\n"


def written(template: str) -> str:
    """The template with its section of alarms as the thresholds have it. Raises: ValueError: there is no section."""
    before, begin, rest = template.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("template.yaml has no section for alarms: its first and last line are missing")
    return f"{before}{BEGIN}\n{alarms(INDICATORS)}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.supervision", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the template differs")
    arguments = parser.parse_args()
    template = TEMPLATE.read_text(encoding="utf-8")
    wanted = written(template)
    if arguments.check:
        if template != wanted:
            print("The alarms of template.yaml differ from the thresholds: run `make supervision`.", file=sys.stderr)
        return int(template != wanted)
    TEMPLATE.write_text(wanted, encoding="utf-8")
    print(f"{sum(1 for one in INDICATORS for _ in one.levels())} alarms of {len(INDICATORS)} indicators.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

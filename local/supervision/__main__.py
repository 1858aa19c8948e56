"""``python -m local.supervision`` writes the alarms and dashboards of the template, and what they cost.

With ``--check`` it fails when they differ.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from billing.domain.indicators import COMPOSITES, INDICATORS
from local.supervision.alarms import alarms, composites
from local.supervision.cost import metrics_written, page
from local.supervision.dashboards import dashboards
from local.template import read_yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
COST = ROOT / "docs" / "cost.md"
BEGIN = "  # ---- Alarms and dashboards: `make supervision` writes them from billing/domain/indicators.py ----\n"
END = "  # ---- End of what is written ----\n"


def written(template: str) -> str:
    """The template with its section of alarms as the thresholds have it. Raises: ValueError: there is no section."""
    before, begin, rest = template.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("template.yaml has no section for alarms: its first and last line are missing")
    return f"{before}{BEGIN}\n{alarms(INDICATORS)}\n{composites(COMPOSITES)}\n{dashboards(routes())}\n{END}{after}"


def template_text() -> str:
    """As it must be."""
    return written(TEMPLATE.read_text(encoding="utf-8"))


def cost_text() -> str:
    """docs/cost.md as the template that is there has it."""
    return page(read_yaml(TEMPLATE)["Resources"], metrics_written(ROOT))


def routes() -> dict[str, str]:
    """Logical ids of functions by method and path, as the API has them."""
    paths = yaml.safe_load((ROOT / "api.yaml").read_text(encoding="utf-8"))["paths"]
    return {
        f"{method.upper()} {path}": _function(operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def _function(operation: Mapping[str, Any]) -> str:
    uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    return str(uri.partition("${AWS::Region}:lambda:")[2].partition("${")[2].partition(".Arn}")[0])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.supervision", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the template differs")
    arguments = parser.parse_args()
    differ = False
    for path, text in ((TEMPLATE, template_text), (COST, cost_text)):
        wanted = text()
        if arguments.check and path.read_text(encoding="utf-8") != wanted:
            differ = True
            print(f"{path.name} differs from the thresholds: run `make supervision`.", file=sys.stderr)
        if not arguments.check:
            path.write_text(wanted, encoding="utf-8")
    if arguments.check:
        return int(differ)
    print(f"{sum(1 for one in INDICATORS for _ in one.levels())} alarms of {len(INDICATORS)} indicators.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

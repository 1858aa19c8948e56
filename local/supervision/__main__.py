"""``python -m local.supervision`` writes supervision.yaml from the thresholds, and what supervision costs.

With ``--check`` it fails when they differ.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import yaml

from billing.domain.indicators import COMPOSITES, INDICATORS
from local.supervision.alarms import alarms, composites
from local.supervision.application import MAIN, ROOT, SUPERVISION
from local.supervision.cost import metrics_written, page
from local.supervision.dashboards import dashboards
from local.supervision.names import Names
from local.supervision.queries import queries
from local.template import read_yaml

COST = ROOT / "docs" / "cost.md"
HEAD = """\
# Written by `make supervision` from billing/domain/indicators.py and local/supervision. Do not edit.
AWSTemplateFormatVersion: "2010-09-09"
Description: Supervision of ZenBilling (alarms, dashboards, saved queries), deployed after the stack that it watches

Parameters:
  BillingStack:
    Description: Name of the stack of template.yaml, which is watched; its exports are imported
    Type: String
    Default: zenbilling-dev
  RunbookUrl:
    Description: Where docs/runbook.md can be read; each alarm names its heading there
    Type: String
    Default: docs/runbook.md

Resources:
"""


def written(main: Mapping[str, Any]) -> str:
    """supervision.yaml as the thresholds have it. ``main`` is template.yaml as data, which it watches.

    Raises: ValueError: what an indicator watches is not there, or has neither a name nor an export.
    """
    names = Names(main)
    sections = {
        "Saved queries: the first looks of the runbook": queries(names),
        "Alarms: ratios wait for enough traffic to mean something": alarms(INDICATORS, names),
        "What alarms say together": composites(COMPOSITES, names),
        "Dashboards": dashboards(routes(), names),
    }
    banners = (f"\n  # ---- {title} {'-' * (110 - len(title))}\n\n{text}" for title, text in sections.items())
    return HEAD + "".join(banners)


def supervision_text() -> str:
    """As it must be."""
    return written(read_yaml(MAIN))


def cost_text() -> str:
    """docs/cost.md as the templates that are there have it."""
    return page(read_yaml(MAIN)["Resources"] | read_yaml(SUPERVISION)["Resources"], metrics_written(ROOT))


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
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file differs")
    arguments = parser.parse_args()
    differ = False
    for path, text in ((SUPERVISION, supervision_text), (COST, cost_text)):
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

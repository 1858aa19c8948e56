"""``python -m local.openapi`` writes both descriptions; with ``--check`` it fails when they differ."""

import argparse
import json
import sys
import tomllib
from pathlib import Path

from local.openapi.deployed import deployed_api
from local.openapi.handlers import ROOT, HandlerError, routes
from local.openapi.published import published_contract
from local.template import aliased, read_yaml


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file differs")
    arguments = parser.parse_args()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        found = routes()
        contract = published_contract(found, version=version)
    except HandlerError as error:
        print(f"The descriptions of the API cannot be written: {error}.", file=sys.stderr)
        return 1
    texts = {
        ROOT / "docs" / "openapi.json": json.dumps(contract, indent=2, ensure_ascii=False) + "\n",
        ROOT / "api.yaml": deployed_api(found, version=version, aliased=aliased(read_yaml(ROOT / "template.yaml"))),
    }
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if arguments.check:
        for path in stale:
            print(f"{_shown(path)} differs from the handlers: run `make openapi` and commit it.", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    print(f"{len(found)} operations in {' and '.join(_shown(path) for path in texts)}.")
    return 0


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())

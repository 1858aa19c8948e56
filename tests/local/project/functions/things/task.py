"""A task that fails by name when asked."""

from typing import Any

attempts: dict[str, int] = {}


class NotYet(Exception):
    pass


class Refused(Exception):
    pass


def handler(event: dict[str, Any], _context: Any) -> Any:
    name = event["name"]
    attempts[name] = attempts.get(name, 0) + 1
    if event["fails"] == "once" and attempts[name] == 1:
        raise NotYet("try again")
    if event["fails"] == "always":
        raise Refused("no")
    return {"count": attempts[name]}

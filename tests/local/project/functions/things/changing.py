"""Its answer is changed by a test while it runs."""

ANSWER = "one"


def handler(_event: object, _context: object) -> str:
    return ANSWER

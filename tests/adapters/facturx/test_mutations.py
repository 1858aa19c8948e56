"""What is wrong is refused by a rule that has a name."""

from __future__ import annotations

import re

import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.facturx.rules import judge_xml
from billing.domain.conformity import RULE_SETS
from billing.domain.currency import CURRENCIES
from tests.adapters.facturx.mutations import MUTATIONS
from tests.documents import SAMPLES
from tests.factories import issued

RULES = RULE_SETS[0].name


def test_there_are_at_least_sixty() -> None:
    assert len({what for what, *_ in MUTATIONS}) == len(MUTATIONS) >= 60


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_every_currency_offered_is_one_that_the_rules_know(currency: str) -> None:
    right = factur_x(SAMPLES["in-dollars"]().document).content
    assert judge_xml(right.replace(b"USD", currency.encode()), RULES) == ()


NAMES = [what for what, *_ in MUTATIONS]


@pytest.mark.parametrize(("what", "name", "pattern", "replacement", "rule"), MUTATIONS, ids=NAMES)
def test_a_wrong_xml_is_refused_by_name(what: str, name: str, pattern: str, replacement: str, rule: str) -> None:
    right = factur_x(SAMPLES[name]().document).content.decode()
    count = 0 if "|" in pattern else 1
    wrong = re.sub(pattern, replacement, right, count=count, flags=re.DOTALL)
    assert wrong != right, what

    violations = judge_xml(wrong.encode(), RULES)

    assert rule in {violation.rule for violation in violations}
    assert all(violation.location and violation.text for violation in violations)


def test_a_violation_is_explained_by_field_in_french() -> None:
    right = factur_x(issued().document).content.decode()
    wrong = re.sub(r"(<ram:DuePayableAmount>)[0-9.]+", r"\g<1>1.00", right)

    (violation,) = judge_xml(wrong.encode(), RULES)

    assert violation.explained.startswith("Règle BR-CO-16 : vérifiez montant à payer (BT-115), total avec TVA (BT-112)")

"""Who judges documents."""

from __future__ import annotations

from typing import Protocol

from billing.domain.conformity import RuleSet, Violation


class ConformityRules(Protocol):
    def judge(self, xml: bytes, pdf: bytes, rules: RuleSet) -> tuple[Violation, ...]:
        """Every rule that a document breaks: its XML, its PDF, and that the one holds the other."""
        ...

"""What supervision.yaml calls the resources it watches: they are those of template.yaml, which is a stack of its own.

A resource that template.yaml gives a name is called by it; where CloudFormation makes the name, the stack exports it.
Both begin with the name of that stack, which the parameter ``BillingStack`` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# The property that names a resource, and what its Ref has before that name.
_NAMED = {
    "AWS::Serverless::Function": ("FunctionName", ""),
    "AWS::Serverless::StateMachine": (
        "Name",
        "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:",
    ),
    "AWS::Logs::LogGroup": ("LogGroupName", ""),
}
_OWN = frozenset({"BillingStack", "RunbookUrl"})


class Names:
    """``main`` is template.yaml as data. What is named is ``Resource``, its Ref, or ``Resource.Attribute``."""

    def __init__(self, main: Mapping[str, Any]) -> None:
        self._resources = main["Resources"]
        self._exports: dict[str, str] = {
            _referred(output["Value"]): name for name, output in main["Outputs"].items() if "Export" in output
        }

    def value(self, target: str) -> str:
        """In YAML. Raises: ValueError: there is no such resource, or it has neither a name nor an export."""
        text = self._text(target)
        return f'!Sub "{text}"' if text else _imported(self._export(target))

    def substituted(self, text: str) -> tuple[str, dict[str, str]]:
        """A text for Fn::Sub in which ``${Resource}`` has become a name, and the variables it needs: those imported."""
        imported: dict[str, str] = {}

        def name(found: re.Match[str]) -> str:
            target = found[1]
            if target in _OWN:
                return found[0]
            known = self._text(target)
            if known:
                return known
            export = self._export(target)
            imported[export] = _imported(export)
            return f"${{{export}}}"

        return re.sub(r"\$\{([A-Za-z0-9.]+)\}", name, text), dict(sorted(imported.items()))

    def _text(self, target: str) -> str:
        """For Fn::Sub; empty when CloudFormation makes the name."""
        named, colon, alias = target.partition(":")
        if named.partition(".")[0] not in self._resources:
            raise ValueError(f"template.yaml has no resource {named}")
        resource = self._resources.get(named, {"Type": ""})
        if resource["Type"] not in _NAMED:
            return ""
        name, before = _NAMED[resource["Type"]]
        asked: str = resource["Properties"][name]["Fn::Sub"]
        return before + asked.replace("${AWS::StackName}", "${BillingStack}") + colon + alias

    def _export(self, target: str) -> str:
        if target not in self._exports:
            raise ValueError(f"template.yaml does not export {target}: give its output an Export")
        return self._exports[target]


def _imported(export: str) -> str:
    return f'{{Fn::ImportValue: !Sub "${{BillingStack}}-{export}"}}'


def _referred(value: Mapping[str, Any]) -> str:
    """``Resource`` of a Ref, ``Resource.Attribute`` of a GetAtt."""
    return str(value["Ref"]) if "Ref" in value else ".".join(value["Fn::GetAtt"])

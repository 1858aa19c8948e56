"""Reads the templates and api.yaml, and resolves their intrinsic functions for this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from local.layout import ACCOUNT_ID, REGION, STACK_NAME

ALIAS: Final = "live"  # that everything calls a function by whose deployments are gradual
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUBSTITUTION = re.compile(r"\$\{(!?)([A-Za-z0-9_.:]+)\}")


class TemplateError(Exception):
    """The template says something the local cloud cannot follow."""


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]
    """YAML with the short forms of intrinsic functions, read as their long forms."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TemplateError(f"!{suffix}: neither a scalar, a list nor a map")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def read_yaml(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        # The loader is a SafeLoader: it makes plain values only.
        return yaml.load(file, Loader=_Loader)  # noqa: S506  # nosec B506


def aliased(document: Mapping[str, Any]) -> frozenset[str]:
    """Logical ids of the functions of a template that have the alias."""
    return frozenset(
        name
        for name, resource in document["Resources"].items()
        if resource.get("Properties", {}).get("AutoPublishAlias") == ALIAS
    )


class Template:
    """A template with the values of its parameters and of what was provisioned.

    ``attributes`` maps ``Logical`` (its Ref) and ``Logical.Attribute`` to values; what is absent and cannot be derived
    from a name raises TemplateError. ``imports`` are the exports of other stacks by their names.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        parameters: Mapping[str, str],
        attributes: Mapping[str, str],
        stack_name: str = STACK_NAME,
        imports: Mapping[str, str] | None = None,
    ) -> None:
        self.document = document
        self.stack_name = stack_name
        self._imports = imports or {}
        self._attributes = attributes
        self._parameters = {
            name: self._parameter(definition, parameters.get(name, definition.get("Default")))
            for name, definition in document.get("Parameters", {}).items()
        }
        unknown = set(parameters) - set(self._parameters)
        if unknown:
            raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
        self._pseudo = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::StackName": stack_name,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": None,
        }
        self._intrinsics: dict[str, Callable[[Any], Any]] = {
            "Ref": self.ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair: self.resolve(pair[0]) == self.resolve(pair[1]),
            "Fn::Not": lambda values: not self.resolve(values[0]),
            "Fn::And": lambda values: all(self.resolve(value) for value in values),
            "Fn::Or": lambda values: any(self.resolve(value) for value in values),
            "Fn::Select": lambda pair: self.resolve(pair[1])[int(self.resolve(pair[0]))],
            "Fn::Split": lambda pair: self.resolve(pair[1]).split(self.resolve(pair[0])),
        }

    @staticmethod
    def _parameter(definition: Mapping[str, Any], value: Any) -> Any:
        if definition.get("Type") == "CommaDelimitedList":
            return [part.strip() for part in str(value).split(",")]
        return str(value)

    def resources(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Unresolved properties by logical id, of resources whose condition holds."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.document["Resources"].items()
            if resource["Type"] == resource_type and self._exists(resource)
        }

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self.condition(resource["Condition"])

    def condition(self, name: str) -> bool:
        return bool(self.resolve(self.document["Conditions"][name]))

    def resolve(self, value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1:
                (key, argument), *_ = value.items()
                if key in self._intrinsics:
                    return self._intrinsics[key](argument)
                if key.startswith("Fn::"):
                    raise TemplateError(f"{key} is not known to the local cloud")
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not None}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        return value

    def ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        return self.attribute(name, "Ref")

    def attribute(self, name: str, attribute: str) -> str:
        """Raises: TemplateError for a resource that does not exist or is not provisioned."""
        key = name if attribute == "Ref" else f"{name}.{attribute}"
        if key in self._attributes:
            return self._attributes[key]
        resource = self.document["Resources"].get(name)
        if resource is None and attribute == "Ref":
            qualified = self._qualified(name)
            if qualified is not None:
                return qualified
        if resource is None:
            raise TemplateError(f"the template has no resource {name}")
        derived = _DERIVED.get((resource["Type"], attribute))
        if derived is None:
            raise TemplateError(f"{name} ({resource['Type']}) is not provisioned locally, {key} has no value")
        return derived(self, name, resource.get("Properties", {}))

    def _qualified(self, name: str) -> str | None:
        """What SAM adds to a function: the alias, and the version of its code. Here both are what is there."""
        for end, qualifier in ((f"Alias{ALIAS}", ALIAS), (".Version", "1")):
            function = name.removesuffix(end)
            if function != name and function in aliased(self.document):
                return f"{self.attribute(function, 'Arn')}:{qualifier}"
        return None

    def exports(self) -> dict[str, str]:
        """Values by the names that other stacks import them by."""
        return {
            self.resolve(output["Export"]["Name"]): self.resolve(output["Value"])
            for output in self.document.get("Outputs", {}).values()
            if "Export" in output
        }

    def _import_value(self, argument: Any) -> str:
        name = self.resolve(argument)
        if name not in self._imports:
            raise TemplateError(f"no stack exports {name}")
        return self._imports[name]

    def _get_att(self, argument: list[str] | str) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self.attribute(name, attribute)

    def _sub(self, argument: str | list[Any]) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.resolve(variables[name]))
            if "." in name:
                return self._get_att(name)
            return str(self.ref(name))

        return _SUBSTITUTION.sub(value, text)

    def _join(self, argument: list[Any]) -> str:
        separator, values = argument
        return str(separator).join(str(value) for value in self.resolve(values))

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.condition(condition) else otherwise)


def _named(property_name: str) -> Callable[[Template, str, Mapping[str, Any]], str]:
    """The name a resource asks for, else one made as CloudFormation does, without its random end."""

    def name(template: Template, logical: str, properties: Mapping[str, Any]) -> str:
        asked = template.resolve(properties.get(property_name))
        return str(asked) if asked else f"{template.stack_name}-{logical}"

    return name


def _arn(service: str, prefix: str, property_name: str) -> Callable[[Template, str, Mapping[str, Any]], str]:
    named = _named(property_name)

    def arn(template: Template, logical: str, properties: Mapping[str, Any]) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{prefix}{named(template, logical, properties)}"

    return arn


def _bucket_name(template: Template, logical: str, properties: Mapping[str, Any]) -> str:
    return _named("BucketName")(template, logical, properties).lower()


def _version_arn(template: Template, logical: str, properties: Mapping[str, Any]) -> str:
    return _arn("lambda", "layer:", "LayerName")(template, logical, properties) + ":1"


_DERIVED: dict[tuple[str, str], Callable[[Template, str, Mapping[str, Any]], str]] = {
    ("AWS::Serverless::Function", "Ref"): _named("FunctionName"),
    ("AWS::Serverless::Function", "Arn"): _arn("lambda", "function:", "FunctionName"),
    ("AWS::Serverless::LayerVersion", "Ref"): _version_arn,
    ("AWS::Serverless::StateMachine", "Ref"): _arn("states", "stateMachine:", "Name"),
    ("AWS::Serverless::StateMachine", "Arn"): _arn("states", "stateMachine:", "Name"),
    ("AWS::Serverless::StateMachine", "Name"): _named("Name"),
    ("AWS::Serverless::HttpApi", "Ref"): lambda _template, logical, _properties: f"{logical.lower()}local",
    ("AWS::DynamoDB::Table", "Ref"): _named("TableName"),
    ("AWS::DynamoDB::Table", "Arn"): _arn("dynamodb", "table/", "TableName"),
    ("AWS::S3::Bucket", "Ref"): _bucket_name,
    ("AWS::S3::Bucket", "Arn"): lambda *arguments: f"arn:aws:s3:::{_bucket_name(*arguments)}",
    ("AWS::SQS::Queue", "QueueName"): _named("QueueName"),
    ("AWS::SQS::Queue", "Arn"): _arn("sqs", "", "QueueName"),
    ("AWS::SNS::Topic", "Ref"): _arn("sns", "", "TopicName"),
    ("AWS::SNS::Topic", "TopicName"): _named("TopicName"),
    ("AWS::SES::ConfigurationSet", "Ref"): _named("Name"),
    ("AWS::Logs::LogGroup", "Ref"): _named("LogGroupName"),
    ("AWS::Logs::LogGroup", "Arn"): _arn("logs", "log-group:", "LogGroupName"),
    ("AWS::IAM::Role", "Ref"): _named("RoleName"),
    ("AWS::IAM::Role", "Arn"): lambda template, logical, properties: (
        f"arn:aws:iam::{ACCOUNT_ID}:role/{_named('RoleName')(template, logical, properties)}"
    ),
}

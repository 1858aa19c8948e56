"""What the template asks of a cloud, as plain typed values: functions, routes, event sources, schedules, workflows."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.layout import Layout, endpoint_variables
from local.sns import sns_event
from local.template import Template, TemplateError, read_yaml

# What a deployer would pass: mail leaves by SMTP (into the sink), and a lost workflow is seen quickly.
PARAMETERS = {"MailTransport": "smtp", "WorkflowRestartAfterSeconds": "15", "WebhookTargets": "public-or-loopback"}
_MOST_POLLERS = 5  # of one queue: what Lambda begins with
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method"}
_INTEGRATED_FUNCTION = re.compile(r":function:([^/:]+)(?::[^/]+)?/invocations$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    logical_id: str
    name: str
    arn: str
    handler: str
    code: Path
    paths: tuple[Path, ...]  # of its own layers; third parties are installed
    environment: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str  # "ANY" for every method
    path: str
    function: str
    timeout_seconds: float
    authorizer: Authorizer | None = None
    scopes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConsumer:
    """An event source mapping from a table's stream."""

    name: str
    function: str
    table: str
    stream_arn: str
    filters: tuple[Mapping[str, Any], ...] = ()
    batch_size: int = 100
    bisects: bool = False
    reports_failures: bool = False
    maximum_retries: int = -1  # for ever
    maximum_age_seconds: int = -1
    dead_letters: str | None = None  # a queue's ARN
    from_start: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConsumer:
    """An event source mapping from a queue."""

    name: str
    function: str
    queue_arn: str
    filters: tuple[Mapping[str, Any], ...] = ()
    batch_size: int = 10
    window_seconds: int = 0
    concurrency: int = _MOST_POLLERS
    reports_failures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    name: str
    expression: str
    timezone: str
    function: str
    input: str | None = None
    retries: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine:
    name: str
    arn: str
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    api_id: str
    functions: Mapping[str, Function]  # by name
    routes: tuple[Route, ...]
    cors: Cors | None
    consumers: tuple[StreamConsumer, ...]
    schedules: tuple[Schedule, ...]
    state_machines: tuple[StateMachine, ...]
    queue_consumers: tuple[QueueConsumer, ...] = ()
    mail_event_topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # topic ARN → functions

    def function_by_arn(self, arn_or_name: str) -> Function | None:
        """Accepts a name, an ARN, and an ARN with a qualifier."""
        return self.functions.get(function_name(arn_or_name))


def function_name(arn_or_name: str) -> str:
    """Of a name, an ARN, and either with a qualifier: an alias and a version are the function itself here."""
    return arn_or_name.split(":function:", 1)[-1].split(":", 1)[0]


def read_template(layout: Layout, attributes: Mapping[str, str]) -> Template:
    document = read_yaml(layout.template_file)
    addresses = {
        "PortalInvoicesUrl": f"{layout.api_url}/v1/portal/invoices",
        "PortalQuotesUrl": f"{layout.api_url}/v1/portal/quotes",
        "PublicApiUrl": layout.api_url,
        "StripeApiUrl": layout.stripe_url,
        "SubscriptionReturnUrl": f"{layout.api_url}/v1/subscription",
        "StripeReturnUrl": f"{layout.api_url}/v1/stripe-account",
        "ViesApiUrl": f"{layout.control_url}/vies",
    }
    given = {**PARAMETERS, **addresses}
    known = {name: value for name, value in given.items() if name in document.get("Parameters", {})}
    return Template(document, parameters=known, attributes=attributes)


def read_attributes(layout: Layout) -> dict[str, str]:
    """What the provisioning wrote."""
    attributes: dict[str, str] = json.loads(layout.resources_file.read_text(encoding="utf-8"))
    return attributes


def wait_for_resources(layout: Layout) -> None:
    """Returns once the provisioning is done; processes start beside it."""
    while not layout.resources_file.exists():
        time.sleep(0.02)


def read_stack(layout: Layout) -> Stack:
    """Raises: TemplateError, yaml.YAMLError, OSError."""
    template = read_template(layout, read_attributes(layout))
    functions = read_functions(template, layout)
    api_id, routes, cors = _read_api(template, layout, functions)
    return Stack(
        api_id=api_id,
        functions=functions,
        routes=routes,
        cors=cors,
        consumers=tuple(_read_consumers(template)),
        schedules=tuple(_read_schedules(template)),
        state_machines=tuple(_read_state_machines(template, layout)),
        queue_consumers=tuple(_read_queue_consumers(template, functions)),
        mail_event_topics=_read_mail_event_topics(template),
    )


def read_functions(template: Template, layout: Layout) -> dict[str, Function]:
    defaults = template.document.get("Globals", {}).get("Function", {})
    layers = {
        template.ref(name): layout.project / properties["ContentUri"]
        for name, properties in template.resources("AWS::Serverless::LayerVersion").items()
    }
    functions = {}
    for logical_id, properties in template.resources("AWS::Serverless::Function").items():
        if "Events" in properties:
            raise TemplateError(f"{logical_id}: routes and event sources are resources of their own, not Events")
        merged = _merge(defaults, properties)
        name = template.ref(logical_id)
        variables = {
            key: str(template.resolve(value)) for key, value in merged["Environment"].get("Variables", {}).items()
        }
        # A layer that is not of the stack is an extension of AWS's, which measures and holds no code of ours.
        named = [template.resolve(layer) for layer in merged.get("Layers", [])]
        attached = [layers[layer] for layer in named if layer in layers]
        functions[name] = Function(
            logical_id=logical_id,
            name=name,
            arn=template.attribute(logical_id, "Arn"),
            handler=merged["Handler"],
            code=layout.project / merged["CodeUri"],
            # A layer of requirements holds no code of its own: its packages are installed in the environment.
            paths=tuple(path for path in attached if not (path / "requirements.txt").exists()),
            environment={**variables, **endpoint_variables(layout)},
            timeout_seconds=float(template.resolve(merged.get("Timeout", 3))),
            memory_mb=int(template.resolve(merged.get("MemorySize", 128))),
        )
    return functions


def common_environment(stack: Stack) -> dict[str, str]:
    """What all functions have in their environment."""
    of_each = [function.environment.items() for function in stack.functions.values()]
    return dict(set.intersection(*map(set, of_each))) if of_each else {}


def _merge(defaults: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """As SAM merges Globals: maps are merged, lists are appended, the rest is replaced."""
    merged = {"Environment": {}, **defaults, **properties}
    for name in ("Environment", "Layers"):
        mine, theirs = properties.get(name), defaults.get(name)
        if isinstance(mine, list) and isinstance(theirs, list):
            merged[name] = theirs + mine
    merged["Environment"] = {
        "Variables": {
            **defaults.get("Environment", {}).get("Variables", {}),
            **properties.get("Environment", {}).get("Variables", {}),
        }
    }
    return merged


def _read_api(
    template: Template, layout: Layout, functions: Mapping[str, Function]
) -> tuple[str, tuple[Route, ...], Cors | None]:
    apis = template.resources("AWS::Serverless::HttpApi")
    if not apis:
        return "local", (), None
    ((logical_id, properties),) = apis.items()
    body = properties["DefinitionBody"]
    if "Fn::Transform" in body:
        location = template.resolve(body["Fn::Transform"]["Parameters"]["Location"])
        body = read_yaml(layout.project / location)
    authorizers = {
        name: _read_authorizer(template, scheme["x-amazon-apigateway-authorizer"])
        for name, scheme in body.get("components", {}).get("securitySchemes", {}).items()
    }
    routes = tuple(
        _read_route(template, functions, authorizers, path, method, operation)
        for path, operations in body["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    )
    return template.ref(logical_id), routes, _read_cors(template, body.get("x-amazon-apigateway-cors"))


def _read_authorizer(template: Template, definition: Mapping[str, Any]) -> Authorizer:
    jwt = template.resolve(definition["jwtConfiguration"])
    return Authorizer(issuer=jwt["issuer"], audience=tuple(jwt["audience"]))


def _read_route(
    template: Template,
    functions: Mapping[str, Function],
    authorizers: Mapping[str, Authorizer],
    path: str,
    method: str,
    operation: Mapping[str, Any],
) -> Route:
    integration = operation["x-amazon-apigateway-integration"]
    found = _INTEGRATED_FUNCTION.search(template.resolve(integration["uri"]))
    if found is None or found[1] not in functions:
        raise TemplateError(f"{method.upper()} {path}: its integration names no function of the template")
    security: dict[str, list[str]] = next(iter(operation.get("security") or []), {})
    scheme = next(iter(security), None)
    return Route(
        method="ANY" if method == "x-amazon-apigateway-any-method" else method.upper(),
        path=path,
        function=found[1],
        timeout_seconds=integration.get("timeoutInMillis", 30_000) / 1000,
        authorizer=authorizers[scheme] if scheme else None,
        scopes=tuple(security[scheme]) if scheme else (),
    )


def _read_cors(template: Template, definition: Mapping[str, Any] | None) -> Cors | None:
    if definition is None:
        return None
    cors = template.resolve(definition)
    return Cors(
        origins=tuple(cors.get("allowOrigins", ())),
        methods=tuple(cors.get("allowMethods", ())),
        headers=tuple(header.lower() for header in cors.get("allowHeaders", ())),
        exposed=tuple(cors.get("exposeHeaders", ())),
        max_age=cors.get("maxAge"),
        credentials=bool(cors.get("allowCredentials", False)),
    )


def _read_consumers(template: Template) -> list[StreamConsumer]:
    streams = {
        template.attribute(name, "StreamArn"): template.ref(name)
        for name, properties in template.resources("AWS::DynamoDB::Table").items()
        if "StreamSpecification" in properties
    }
    consumers = []
    for name, properties in template.resources("AWS::Lambda::EventSourceMapping").items():
        source = template.resolve(properties)
        if _is_queue(source["EventSourceArn"]):
            continue
        if source["EventSourceArn"] not in streams:
            raise TemplateError(f"{name}: only the stream of a table and a queue are consumed locally")
        consumers.append(
            StreamConsumer(
                name=name,
                function=function_name(source["FunctionName"]),
                table=streams[source["EventSourceArn"]],
                stream_arn=source["EventSourceArn"],
                filters=_filters(source),
                batch_size=int(source.get("BatchSize", 100)),
                bisects=bool(source.get("BisectBatchOnFunctionError", False)),
                reports_failures="ReportBatchItemFailures" in source.get("FunctionResponseTypes", []),
                maximum_retries=int(source.get("MaximumRetryAttempts", -1)),
                maximum_age_seconds=int(source.get("MaximumRecordAgeInSeconds", -1)),
                dead_letters=source.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
                from_start=source.get("StartingPosition") != "LATEST",
            )
        )
    return consumers


def _read_queue_consumers(template: Template, functions: Mapping[str, Function]) -> list[QueueConsumer]:
    """Raises: TemplateError for a mapping that Lambda would refuse."""
    queues = {
        template.attribute(name, "Arn"): template.resolve(properties)
        for name, properties in template.resources("AWS::SQS::Queue").items()
    }
    consumers = []
    for name, properties in template.resources("AWS::Lambda::EventSourceMapping").items():
        source = template.resolve(properties)
        arn = source["EventSourceArn"]
        if not _is_queue(arn):
            continue
        if arn not in queues:
            raise TemplateError(f"{name}: its queue is not in the template")
        function = functions[function_name(source["FunctionName"])]
        visibility = int(queues[arn].get("VisibilityTimeout", 30))
        if visibility < function.timeout_seconds:
            raise TemplateError(
                f"{name}: Lambda refuses a queue whose visibility timeout ({visibility} s) is shorter than the timeout "
                f"of its function ({function.timeout_seconds:.0f} s)"
            )
        batch_size = int(source.get("BatchSize", 10))
        window_seconds = int(source.get("MaximumBatchingWindowInSeconds", 0))
        if batch_size > 10 and window_seconds < 1:
            raise TemplateError(f"{name}: a batch of more than 10 messages asks for a batching window")
        concurrency = int(source.get("ScalingConfig", {}).get("MaximumConcurrency", _MOST_POLLERS))
        consumers.append(
            QueueConsumer(
                name=name,
                function=function.name,
                queue_arn=arn,
                filters=_filters(source),
                batch_size=batch_size,
                window_seconds=window_seconds,
                concurrency=min(concurrency, _MOST_POLLERS),
                reports_failures="ReportBatchItemFailures" in source.get("FunctionResponseTypes", []),
            )
        )
    return consumers


def _is_queue(arn: str) -> bool:
    return arn.startswith("arn:aws:sqs:")


def _filters(source: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(json.loads(entry["Pattern"]) for entry in source.get("FilterCriteria", {}).get("Filters", []))


def _read_schedules(template: Template) -> list[Schedule]:
    schedules = []
    for logical_id, properties in template.resources("AWS::Scheduler::Schedule").items():
        schedule = template.resolve(properties)
        target = schedule["Target"]
        function, given = _scheduled_function(template, target)
        if function is None:
            raise TemplateError(f"{logical_id}: only a function, or a topic of one, is run by a schedule locally")
        if schedule.get("State") == "DISABLED":
            continue
        schedules.append(
            Schedule(
                name=schedule.get("Name", logical_id),
                expression=schedule["ScheduleExpression"],
                timezone=schedule.get("ScheduleExpressionTimezone", "UTC"),
                function=function,
                input=given,
                retries=int(target.get("RetryPolicy", {}).get("MaximumRetryAttempts", 185)),
            )
        )
    return schedules


def _scheduled_function(template: Template, target: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The function and what it is given: a topic hands the message to the one that is subscribed."""
    arn, given = target["Arn"], target.get("Input")
    if ":function:" in arn:
        return function_name(arn), given
    for subscription in map(template.resolve, template.resources("AWS::SNS::Subscription").values()):
        if subscription["TopicArn"] == arn and subscription["Protocol"] == "lambda":
            return function_name(subscription["Endpoint"]), json.dumps(sns_event(arn, given or "", ""))
    return None, None


def _read_state_machines(template: Template, layout: Layout) -> list[StateMachine]:
    machines = []
    for logical_id, properties in template.resources("AWS::Serverless::StateMachine").items():
        definition = (layout.project / properties["DefinitionUri"]).read_text(encoding="utf-8")
        for name, value in template.resolve(properties.get("DefinitionSubstitutions", {})).items():
            definition = definition.replace(f"${{{name}}}", str(value))
        machines.append(
            StateMachine(
                name=template.attribute(logical_id, "Name"), arn=template.ref(logical_id), definition=definition
            )
        )
    return machines


def _read_mail_event_topics(template: Template) -> dict[str, tuple[str, ...]]:
    """Which functions hear what became of a mail: SES event destination → topic → subscriptions."""
    topics: dict[str, tuple[str, ...]] = {}
    for properties in template.resources("AWS::SES::ConfigurationSetEventDestination").values():
        arn = template.resolve(properties["EventDestination"])["SnsDestination"]["TopicARN"]
        topics[arn] = tuple(
            function_name(subscription["Endpoint"])
            for subscription in map(template.resolve, template.resources("AWS::SNS::Subscription").values())
            if subscription["TopicArn"] == arn and subscription["Protocol"] == "lambda"
        )
    return topics

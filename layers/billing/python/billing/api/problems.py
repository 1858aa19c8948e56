"""Every refusal as an RFC 9457 problem, in the client's language, with the field each error is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError

from billing.api.advice import ADVICE, LINK_GONE
from billing.api.answers import JSON, PROBLEM_JSON, TEXT, respond
from billing.api.bodies import parse_body
from billing.api.events import header
from billing.api.language import Language, language_of
from billing.api.messages import field_texts
from billing.domain import errors
from billing.domain.errors import (
    BillingError,
    BodyTooLarge,
    FieldError,
    FieldErrors,
    InvalidInput,
    NotFound,
    PreconditionRequired,
)
from billing.ports.idempotency import AlreadyAnswered

MAX_FIELD_ERRORS = 100
MAX_POINTER_LENGTH = 200
PORTAL: Final = "/v1/portal/"
THIRD_PARTIES: Final = "webhooks"  # they say what they like: refused, it would be lost
BEACONS: Final = "usage"  # JSON that a page sends as it is left, which browsers let it only as plain text
MAX_BEACON_LENGTH: Final = 1000

# The nearest class of a refusal decides.
STATUSES: Final[dict[type[BillingError], int]] = {
    errors.InvalidInput: 422,
    errors.BodyTooLarge: 413,
    errors.StripeSignatureRefused: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.PreconditionRequired: 428,
    errors.Unauthenticated: 401,
    # The session is not at fault: a client must not sign the user out over them.
    errors.CodeRefused: 422,
    errors.EmailNotConfirmed: 403,
    errors.Forbidden: 403,
    errors.TooManyAttempts: 429,
    errors.Busy: 503,
    errors.DependencyUnavailable: 503,
    errors.MailRefused: 422,
    errors.DocumentNotConformant: 422,
}
_RETRY_AFTER_SECONDS: Final[dict[type[BillingError], int]] = {
    errors.TooManyAttempts: 60,
    errors.Busy: 1,
    errors.DependencyUnavailable: 2,
}

logger = Logger()


def status_of(error: type[BillingError]) -> int:
    return next(STATUSES[ancestor] for ancestor in error.__mro__ if ancestor in STATUSES)


def install(app: APIGatewayHttpResolver) -> None:
    """Make an operation answer problems, parse bodies strictly and repeat answers already given."""
    # Otherwise each handler would have to pass them.
    app._json_body_deserializer = parse_body  # noqa: SLF001
    app._request_validation_middleware = _JsonRequests()  # type: ignore[no-untyped-call] # noqa: SLF001
    request = _RequestOf(app)
    not_text = InvalidInput("Le corps de la demande n'est pas de l'UTF-8.", "The request body is not UTF-8.")
    answers: dict[type[Exception], Callable[[Any], Response[str]]] = {
        BillingError: lambda error: _problem(request, error),
        RequestValidationError: lambda error: _problem(request, _refusal(error.errors())),
        RequestUnsupportedContentType: lambda _: _unsupported_media_type(request),
        UnicodeDecodeError: lambda _: _problem(request, not_text),
        NotFoundError: lambda _: _problem(request, NotFound()),
        AlreadyAnswered: lambda known: respond(known.answer, **{"Idempotency-Replayed": "true"}),
    }
    for kind, answer in answers.items():
        app.exception_handler(kind)(answer)


class _JsonRequests(OpenAPIRequestValidationMiddleware):
    """Powertools would also read forms, and fails on a broken one. No body at all is an empty object.

    Nor would it see what nobody declared: a parameter of the query, the fields of a body where there is none.
    """

    def handler(self, app: Any, next_middleware: Callable[[Any], Response[Any]]) -> Response[Any]:
        def declared(app: Any) -> Response[Any]:
            if unknown := [*_unknown_parameters(app), *self._unknown_fields(app)]:
                raise RequestValidationError(unknown)
            return next_middleware(app)

        answer: Response[Any] = super().handler(app, declared)  # type: ignore[arg-type]
        return answer

    def _unknown_fields(self, app: Any) -> list[Any]:
        route = app.context["_route"]
        extensions = route.openapi_extensions or {}  # of a body that is read as bytes
        if route.dependant.body_params or "requestBody" in extensions or not app.current_event.body:
            return []
        if not (app.current_event.decoded_body or "").strip():
            return []
        return [{"loc": ("body", name), "type": "extra_forbidden"} for name in self._get_body(app)]

    def _get_body(self, app: Any) -> dict[str, Any]:
        media_type = header(app.current_event.raw_event, "content-type").partition(";")[0].strip().lower()
        accepted = {"", JSON}
        if BEACONS in app.context["_route"].tags:
            accepted.add(TEXT)
            if len(app.current_event.body or "") > MAX_BEACON_LENGTH:
                raise BodyTooLarge
        if media_type not in accepted:
            raise RequestUnsupportedContentType(media_type, errors=())
        body: dict[str, Any] | None = app.current_event.json_body
        return body if body is not None else {}


def _unknown_parameters(app: Any) -> list[Any]:
    route = app.context["_route"]
    if THIRD_PARTIES in route.tags:
        return []
    known = {parameter.alias for parameter in route.dependant.query_params}
    given = app.current_event.raw_event.get("queryStringParameters") or {}
    return [{"loc": ("query", name), "type": "parameter_unknown"} for name in given if name not in known]


class _RequestOf:
    """The request that an app is answering."""

    def __init__(self, app: APIGatewayHttpResolver) -> None:
        self._app = app

    @property
    def language(self) -> Language:
        return language_of(self._app.current_event.raw_event)

    @property
    def path(self) -> str:
        return str(self._app.current_event.raw_event.get("rawPath", ""))

    @property
    def is_by_link(self) -> bool:
        return self.path.startswith(PORTAL)


def _unsupported_media_type(request: _RequestOf) -> Response[str]:
    return _response(
        request,
        status=415,
        slug="unsupported-media-type",
        titles=("Ce type de contenu n'est pas accepté", "This media type is not accepted"),
        details=("Envoyez du JSON (Content-Type: application/json).", "Send JSON (Content-Type: application/json)."),
    )


def _problem(request: _RequestOf, error: BillingError) -> Response[str]:
    kind = type(error)
    usual = next((_RETRY_AFTER_SECONDS[base] for base in kind.__mro__ if base in _RETRY_AFTER_SECONDS), None)
    retry_after = error.retry_after_seconds if isinstance(error, errors.TooManyPaymentPages) else usual
    return _response(
        request,
        status=status_of(kind),
        slug=error.slug,
        titles=(error.title_fr, error.title_en),
        details=(error.detail_fr, error.detail_en) if error.detail_fr else _advice(request, kind),
        fields=error.errors,
        retry_after=retry_after,
    )


def _advice(request: _RequestOf, kind: type[BillingError]) -> tuple[str, str]:
    return LINK_GONE if kind is NotFound and request.is_by_link else ADVICE[kind]


def _response(
    request: _RequestOf,
    *,
    status: int,
    slug: str,
    titles: tuple[str, str],
    details: tuple[str, str],
    fields: Sequence[FieldError] = (),
    retry_after: int | None = None,
) -> Response[str]:
    language = request.language
    chosen = 1 if language is Language.ENGLISH else 0
    body: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "title": titles[chosen],
        "status": status,
        "detail": details[chosen],
        "instance": request.path,
    }
    if fields:
        body["errors"] = [
            {"pointer": field.pointer, "detail": (field.detail_fr, field.detail_en)[chosen]}
            for field in fields[:MAX_FIELD_ERRORS]
        ]
    headers = {"Content-Language": language.value, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    logger.info("refused", problem=slug, status=status)
    return Response(
        status_code=status, content_type=PROBLEM_JSON, body=json.dumps(body, ensure_ascii=False), headers=headers
    )


def _refusal(reported: Iterable[Any]) -> BillingError:
    """What validation errors amount to: an id of no known form is an id that does not exist."""
    found = list(reported)
    if any(error["loc"][0] == "path" for error in found):
        return NotFound()
    missing = [error["loc"][1] for error in found if error["loc"][0] == "header" and error["type"] == "missing"]
    if missing:
        names = ", ".join(_header_name(str(name)) for name in missing)
        return PreconditionRequired(
            f"Renvoyez la demande avec l'en-tête {names}.", f"Send the request again with the header {names}."
        )
    fields = (
        FieldError(_pointer(error["loc"]), *field_texts(error["type"], error.get("ctx") or {}))
        for error in found[:MAX_FIELD_ERRORS]
    )
    return FieldErrors(tuple(fields))


def _pointer(location: Sequence[int | str]) -> str:
    """RFC 6901: into the body, or of a parameter as ``/query/limit`` and ``/header/If-Match``."""
    source, *steps = location
    if source == "header":
        steps = [source, _header_name(str(steps[0]))]
    elif source != "body":
        steps = [source, *steps]
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return "".join(f"/{step}" for step in escaped)[:MAX_POINTER_LENGTH]


def _header_name(alias: str) -> str:
    return "-".join(part.capitalize() for part in alias.split("-"))

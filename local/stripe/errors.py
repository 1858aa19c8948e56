"""What Stripe refuses, in its own shape."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """``kept`` is whether the refusal is the answer of its idempotency key from then on: what began to be done is,
    what was not understood is not.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        kept: bool = False,
        **details: Any,
    ) -> None:
        self.status = status
        self.kept = kept
        self.body: dict[str, Any] = {"message": message, "type": kind, **details}
        if code is not None:
            self.body |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            self.body["param"] = param
        super().__init__(message)


def missing(kind: str, object_id: str, *, param: str = "id") -> ApiError:
    return ApiError(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param=param)


def no_access(key: str, account_id: str) -> ApiError:
    return ApiError(
        f"The provided key '{key[:8]}***{key[-4:]}' does not have access to account '{account_id}' (or that account "
        "does not exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
    )


def required(param: str) -> ApiError:
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid(param: str, message: str, code: str | None = None) -> ApiError:
    return ApiError(message, code=code, param=param)


def unexpected(kind: str, message: str) -> ApiError:
    """An object is not in the state that the request asks for."""
    return ApiError(message, code=f"{kind}_unexpected_state", kept=True)

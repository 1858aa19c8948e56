"""VIES, the VAT register of the member states, over its REST interface.

Asked within four seconds and never twice. After three failures in a row it is left alone for half a minute: whoever
asks meanwhile learns at once that nothing is known.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import urllib3

from billing.ports.clock import Clock
from billing.ports.vat_numbers import VatConsultation

CONNECT_SECONDS, READ_SECONDS = 1.0, 3.0
FAILURES_BEFORE_PAUSE = 3
PAUSE_SECONDS = 30.0
_LARGEST_ANSWER = 64 * 1024
_UNKNOWN = "---"  # what a member state says of a name that it does not tell


class Vies:
    """Port VatNumberRegister."""

    def __init__(self, base_url: str, *, clock: Clock) -> None:
        self._url = f"{base_url}/check-vat-number"
        self._clock = clock
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False, maxsize=2
        )
        self._failures = 0
        self._paused_until = 0.0

    def consult(self, vat_number: str, *, requester: str | None) -> VatConsultation | None:
        if self._clock.monotonic() < self._paused_until:
            return None
        answer = self._ask(vat_number, requester)
        found = _consultation(answer) if answer is not None else None
        self._failures = 0 if found is not None else self._failures + 1
        if self._failures >= FAILURES_BEFORE_PAUSE:
            self._failures = 0
            self._paused_until = self._clock.monotonic() + PAUSE_SECONDS
        return found

    def _ask(self, vat_number: str, requester: str | None) -> Any:
        asked = {"countryCode": vat_number[:2], "vatNumber": vat_number[2:]}
        if requester is not None:
            asked |= {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]}
        try:
            answer = self._http.request(
                "POST",
                self._url,
                body=json.dumps(asked).encode(),
                headers={"content-type": "application/json", "accept": "application/json"},
                redirect=False,
                preload_content=False,
            )
            try:
                content = answer.read(_LARGEST_ANSWER)
            finally:
                answer.release_conn()
            return json.loads(content) if answer.status == HTTPStatus.OK else None
        except (urllib3.exceptions.HTTPError, ValueError):
            return None


def _consultation(answer: Any) -> VatConsultation | None:
    """What an answer says; None when it says that a member state does not answer (``actionSucceed: false``)."""
    if not isinstance(answer, dict) or not isinstance(answer.get("valid"), bool):
        return None
    return VatConsultation(
        valid=answer["valid"],
        consultation_number=_text(answer, "requestIdentifier")[:50] or None,
        name=_text(answer, "name")[:200],
        address=_text(answer, "address")[:500],
    )


def _text(answer: dict[str, Any], name: str) -> str:
    held = answer.get(name)
    return held.strip() if isinstance(held, str) and held.strip() != _UNKNOWN else ""

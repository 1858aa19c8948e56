"""Amazon SES through SNS — apply what the provider says of a mail we sent."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from billing.api.entry import task_point
from billing.domain.delivery import ClaimState
from billing.domain.mail import DELIVERY_HEADER, DELIVERY_TAG
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count, logger
from billing.runtime.table import deliveries
from billing.usecases import deliveries as usecases

_STATES = {
    "Send": ClaimState.ACCEPTED,
    "Delivery": ClaimState.DELIVERED,
    "Bounce": ClaimState.BOUNCED,
    "Reject": ClaimState.REFUSED,
}


def receive_mail_event(event: dict[str, Any]) -> None:
    for record in event["Records"]:
        told = json.loads(record["Sns"]["Message"])
        if not _apply(told):
            count("MailEventIgnored")


def _apply(told: Mapping[str, Any]) -> bool:
    """Whether the event changed something: unknown, late and repeated ones do not."""
    kind = told.get("eventType")
    if kind == "Complaint":  # the mail did arrive; the complaint is counted
        count("MailComplained")
        _log("mail complained of", told["mail"])
        return True
    state = _STATES.get(str(kind))
    # A mailbox that is full or away is tried again by SES itself.
    if state is None or (kind == "Bounce" and told["bounce"]["bounceType"] != "Permanent"):
        return False
    mail = told["mail"]
    if state is ClaimState.BOUNCED:
        count("MailBounced")
        _log("mail bounced", mail)
    changed = [
        usecases.receive_mail_event(
            _reference(mail), recipient, state, mail["messageId"], deliveries=deliveries(), clock=clock, ids=ids
        )
        for recipient in _recipients(told)
    ]
    return any(changed)


def _log(message: str, mail: Mapping[str, Any]) -> None:
    """Whose mail: never to whom."""
    named = usecases.parse_reference(_reference(mail))
    if named is not None:
        logger.warning(message, tenant_id=named[0], document_id=named[1])


def _recipients(told: Mapping[str, Any]) -> Iterator[str]:
    if told["eventType"] == "Bounce":
        yield from (each["emailAddress"] for each in told["bounce"]["bouncedRecipients"])
    elif told["eventType"] == "Delivery":
        yield from told["delivery"]["recipients"]
    else:
        yield from told["mail"]["destination"]


def _reference(mail: Mapping[str, Any]) -> str:
    tagged = mail.get("tags", {}).get(DELIVERY_TAG)
    if tagged:
        return str(tagged[0])
    headers = {each["name"].lower(): each["value"] for each in mail.get("headers", ())}
    return str(headers.get(DELIVERY_HEADER.lower(), ""))


handler = task_point(receive_mail_event)

"""Requests to the table: what every repository shares.

A read that needs the membership fetches it in the same batch; a write checks it in its own transaction;
a list trusts it for five seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import Item, attribute, compress, decompress, dump, item, load, number, text
from billing.adapters.dynamodb.keys import Key
from billing.domain.access import NOWHERE, Caller, Origin
from billing.domain.errors import (
    BillingError,
    Busy,
    DependencyUnavailable,
    IdempotencyKeyReused,
    MembershipChanged,
    PageTokenInvalid,
)
from billing.domain.events import Event
from billing.domain.feed import AuditTrail
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import PageRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EVENT = "event"
MEMBERSHIP_TRUST_SECONDS = 5.0
IDEMPOTENCY_LIFE_SECONDS = 30 * 24 * 3600
_BATCH_LIMIT = 100
_TRANSIENT = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_CONFLICT_BUDGET_SECONDS = 8.0
_RETRYABLE = frozenset(
    {
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionInProgressException",
    }
)


@dataclass(frozen=True, slots=True)
class Write:
    """One action of a transaction and what its refused condition means.

    ``refused`` gets the item that stands in the way (None when there is none).
    """

    action: str
    request: Mapping[str, Any]
    refused: Callable[[Item | None], Exception]


@dataclass(frozen=True, slots=True)
class EventWrite(Write):
    """A business event, which ``Table.write`` completes: who acted from where, and the mark that it has no place."""

    key: Key
    tenant_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class Row:
    """An index entry of a list: its order, the id of its resource, its summary text."""

    order: str
    resource_id: str
    summary: str


class Table:
    """The table of this environment. Safe to share between repositories of one process."""

    def __init__(self, client: DynamoDBClient, name: str, *, clock: Clock, ids: Ids) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._ids = ids
        self._trusted: dict[tuple[str, str, int], float] = {}

    def now(self) -> datetime:
        return self._clock.now()

    def batch(self, wanted: Sequence[Key], *, only: Sequence[str] = ()) -> dict[Key, Item]:
        """Consistent items by key, those that exist; more than 100 keys take more than one request.

        ``only`` some attributes beside the key, when they are named.
        """
        shown = {}
        if only:
            shown = {
                "ProjectionExpression": ", ".join(["pk", "sk", *(f"#{name}" for name in only)]),
                "ExpressionAttributeNames": {f"#{name}": name for name in only},
            }
        found: dict[Key, Item] = {}
        for start in range(0, len(wanted), _BATCH_LIMIT):
            pending: list[Any] = [_key(key) for key in wanted[start : start + _BATCH_LIMIT]]
            pause = 0.02
            while pending:
                answer = self._call(
                    "batch_get_item", RequestItems={self._name: {"Keys": pending, "ConsistentRead": True, **shown}}
                )
                for stored in answer["Responses"].get(self._name, []):
                    found[Key(text(stored, "pk"), text(stored, "sk"))] = stored
                pending = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
                if pending:
                    self._clock.sleep(pause * self._ids.jitter())
                    pause = min(pause * 2, 0.5)
        return found

    def read(self, caller: Caller, *wanted: Key, once: IdempotentRequest | None = None) -> dict[Key, Item]:
        """Items and the caller's membership in one request.

        Raises: MembershipChanged; AlreadyAnswered, IdempotencyKeyReused with ``once``.
        """
        member = keys.membership(caller.tenant_id, caller.user_id)
        extra = [keys.idempotency(caller.tenant_id, once.operation, once.key)] if once else []
        found = self.batch([member, *extra, *wanted])
        if not caller.is_system:
            self._check_membership(caller, found.get(member))
        if once and extra[0] in found:
            raise replayed(once, found[extra[0]])
        return found

    def get(self, key: Key) -> Item | None:
        answer = self._call("get_item", TableName=self._name, Key=_key(key), ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def get_once(self, key: Key, once: IdempotentRequest | None) -> Item | None:
        """An item of operators, and whether what is asked of it was answered; one request.

        Raises: AlreadyAnswered, IdempotencyKeyReused.
        """
        known = keys.ops_idempotency(once.operation, once.key) if once else None
        found = self.batch([key, known] if known else [key])
        if once is not None and known in found:
            raise replayed(once, found[known])
        return found.get(key)

    def trust(self, caller: Caller) -> None:
        """Hold that the membership stands, from memory when it was seen in the last five seconds."""
        if caller.is_system:
            return
        seen = self._trusted.get(_identity(caller))
        if seen is None or self._clock.monotonic() - seen > MEMBERSHIP_TRUST_SECONDS:
            self._check_membership(caller, self.get(keys.membership(caller.tenant_id, caller.user_id)))

    def page(
        self,
        index: str,
        partition: str,
        page: PageRequest,
        *,
        base_key: Callable[[str], Key],
        low: str = "",
        high: str = keys.HIGHEST,
        forward: bool = True,
    ) -> tuple[list[Row], str | None]:
        """One page of a list index, one request. Positions hold the order and the id of the last row."""
        if low > high:
            return [], None
        prefix = _INDEX_PREFIX[index]
        request: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": index,
            "KeyConditionExpression": f"{prefix}_pk = :partition AND {prefix}_sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":partition": attribute(partition),
                ":low": attribute(low or " "),
                ":high": attribute(high),
            },
            "Limit": page.limit,
            "ScanIndexForward": forward,
        }
        if page.position is not None:
            order, _, resource_id = page.position.rpartition("|")
            request["ExclusiveStartKey"] = {
                f"{prefix}_pk": attribute(partition),
                f"{prefix}_sk": attribute(order),
                **_key(base_key(resource_id)),
            }
        answer = self._query(request)
        rows = [
            Row(
                order=text(stored, f"{prefix}_sk"),
                resource_id=text(stored, "pk").rpartition("#")[2],
                summary=text(stored, "summary"),
            )
            for stored in answer["Items"]
        ]
        more = "LastEvaluatedKey" in answer and bool(rows)
        return rows, f"{rows[-1].order}|{rows[-1].resource_id}" if more else None

    def pages(
        self,
        index: str,
        partitions: Sequence[str],
        page: PageRequest,
        *,
        base_key: Callable[[str], Key],
        low: str = "",
        high: str = keys.HIGHEST,
        forward: bool = True,
    ) -> tuple[list[Row], str | None]:
        """As ``page`` over several partitions whose orders end with the id of their row, one request each.

        A position is the same as of one partition: a list may gain a partition between two of its pages.
        """
        if len(partitions) == 1:
            return self.page(index, partitions[0], page, base_key=base_key, low=low, high=high, forward=forward)
        last = ""
        if page.position is not None:
            last = page.position.rpartition("|")[0]
            if not low <= last <= high:
                raise PageTokenInvalid
            low, high = (last, high) if forward else (low, last)
        found: list[Row] = []
        more = False
        for partition in partitions:
            # One more than wanted: the bounds hold the last row of the page before.
            rows, further = self.page(
                index,
                partition,
                PageRequest(limit=page.limit + 1),
                base_key=base_key,
                low=low,
                high=high,
                forward=forward,
            )
            found += (row for row in rows if row.order != last)
            more = more or further is not None
        found.sort(key=lambda row: row.order, reverse=not forward)
        shown = found[: page.limit]
        more = bool(shown) and (more or len(found) > page.limit)
        return shown, f"{shown[-1].order}|{shown[-1].resource_id}" if more else None

    def query(
        self,
        partition: str,
        *,
        low: str,
        high: str,
        limit: int,
        after: str | None = None,
        forward: bool = True,
        consistent: bool = True,
    ) -> tuple[list[Item], str | None]:
        """Items of one partition between two sort keys; the position is the last sort key."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": "pk = :partition AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":partition": attribute(partition),
                ":low": attribute(low),
                ":high": attribute(high),
            },
            "Limit": limit,
            "ScanIndexForward": forward,
            "ConsistentRead": consistent,
        }
        if after is not None:
            request["ExclusiveStartKey"] = _key(Key(partition, after))
        answer = self._query(request)
        items: list[Item] = answer["Items"]
        more = "LastEvaluatedKey" in answer and bool(items)
        return items, text(items[-1], "sk") if more else None

    def outbox(self, shard: int, before: str, limit: int) -> list[Key]:
        """Keys of unsettled requests last touched before an instant, oldest first."""
        answer = self._call(
            "query",
            TableName=self._name,
            IndexName="Outbox",
            KeyConditionExpression="outbox_pk = :shard AND outbox_sk < :before",
            ExpressionAttributeValues={
                ":shard": attribute(keys.outbox_shard(shard)),
                ":before": attribute(before),
            },
            Limit=limit,
        )
        return [Key(text(stored, "pk"), text(stored, "sk")) for stored in answer["Items"]]

    def due(self, partition: str, high: str, limit: int, *, after: str | None = None) -> tuple[list[Key], str | None]:
        """Keys of what is due up to an order, oldest first; the position is the order and key of the last."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": "Outbox",
            "KeyConditionExpression": "outbox_pk = :partition AND outbox_sk <= :high",
            "ExpressionAttributeValues": {":partition": attribute(partition), ":high": attribute(high)},
            "Limit": limit,
        }
        if after is not None:
            order, pk, sk = after.split("|")
            request["ExclusiveStartKey"] = {
                "outbox_pk": attribute(partition),
                "outbox_sk": attribute(order),
                **_key(Key(pk, sk)),
            }
        answer = self._call("query", **request)
        found = [Key(text(stored, "pk"), text(stored, "sk")) for stored in answer["Items"]]
        if "LastEvaluatedKey" not in answer or not found:
            return found, None
        return found, "|".join((text(answer["Items"][-1], "outbox_sk"), found[-1].pk, found[-1].sk))

    def put(self, content: Item, *, only_if: str, values: Mapping[str, str | int | bool] | None = None) -> Item:
        """Part of a Write: the whole item, on a condition."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "Item": content,
            "ConditionExpression": only_if,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if values:
            request["ExpressionAttributeValues"] = {name: attribute(value) for name, value in values.items()}
        return request

    def create(self, content: Item, refused: Callable[[Item | None], Exception]) -> Write:
        """A new item: refused when its key is taken."""
        return Write("Put", self.put(content, only_if="attribute_not_exists(pk)"), refused)

    def replace(
        self,
        content: Item,
        *,
        expected_version: int,
        refused: Callable[[Item | None], Exception],
        entity: str | None = None,
    ) -> Write:
        """The whole item again: refused unless the stored one has the expected version (and entity)."""
        condition = "version = :expected_version"
        values: dict[str, str | int | bool] = {":expected_version": expected_version}
        if entity is not None:
            condition += " AND entity = :entity"
            values[":entity"] = entity
        return Write("Put", self.put(content, only_if=condition, values=values), refused)

    def check(
        self,
        key: Key,
        *,
        only_if: str,
        values: Mapping[str, str | int | bool] | None = None,
        refused: Callable[[Item | None], Exception],
    ) -> Write:
        """An item that another part of the transaction rests on."""
        request: dict[str, Any] = {"TableName": self._name, "Key": _key(key), "ConditionExpression": only_if}
        if values:
            request["ExpressionAttributeValues"] = {name: attribute(value) for name, value in values.items()}
        return Write("ConditionCheck", request, refused)

    def mark(
        self,
        key: Key,
        *,
        sets: Mapping[str, str | int],
        only_if: str,
        values: Mapping[str, str | int],
        refused: Callable[[Item | None], Exception],
    ) -> Write:
        """Some attributes of an item, which may not exist yet; the others stay as they are."""
        request = {
            "TableName": self._name,
            "Key": _key(key),
            "UpdateExpression": f"SET {', '.join(f'{name} = :{name}' for name in sets)}",
            "ConditionExpression": only_if,
            "ExpressionAttributeValues": {
                **{f":{name}": attribute(value) for name, value in sets.items()},
                **{name: attribute(value) for name, value in values.items()},
            },
        }
        return Write("Update", request, refused)

    def delete(
        self,
        key: Key,
        *,
        refused: Callable[[Item | None], Exception],
        only_if: str,
        values: Mapping[str, str | int | bool],
    ) -> Write:
        request = {
            "TableName": self._name,
            "Key": _key(key),
            "ConditionExpression": only_if,
            "ExpressionAttributeValues": {name: attribute(value) for name, value in values.items()},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return Write("Delete", request, refused)

    def write(
        self,
        caller: Caller | None,
        *writes: Write,
        once: IdempotentRequest | None = None,
        answered: object = None,
        origin: Origin = NOWHERE,
    ) -> None:
        """All of it or nothing, in one transaction, with the membership check and the idempotency record.

        ``answered`` is the result that ``once`` shapes into the stored answer. ``origin``: where it came from when
        there is no caller, who brings their own.

        Raises: MembershipChanged, AlreadyAnswered, IdempotencyKeyReused, what a refused write says, Busy.
        """
        actions: list[Write] = []
        if caller is not None and not caller.is_system:
            actions.append(self._membership_check(caller))
        if once is not None and caller is not None:
            key = keys.idempotency(caller.tenant_id, once.operation, once.key)
            actions.append(self.answered(key, once, answered, tenant_id=caller.tenant_id))
        for one in writes:
            actions.extend(_audited(one, caller, origin) if isinstance(one, EventWrite) else (one,))
        deadline = self._clock.monotonic() + _CONFLICT_BUDGET_SECONDS
        pause = 0.005
        while True:
            try:
                self._transact(actions)
            except _Conflicted as conflict:
                if self._clock.monotonic() > deadline:
                    raise Busy from conflict
                self._clock.sleep(pause * self._ids.jitter())
                pause = min(pause * 2, 0.25)
            else:
                return

    def count(self, key: Key, counter: str, *, expected: int, also: Mapping[str, str]) -> bool:
        """Add one to a counter and set some attributes; False when it moved or its request is settled."""
        sets = ", ".join([f"{counter} = :next", *(f"{name} = :{name}" for name in also)])
        try:
            self._call(
                "update_item",
                TableName=self._name,
                Key=_key(key),
                UpdateExpression=f"SET {sets}",
                ConditionExpression=f"{counter} = :expected AND settled = :open",
                ExpressionAttributeValues={
                    ":next": attribute(expected + 1),
                    ":expected": attribute(expected),
                    ":open": attribute(False),
                    **{f":{name}": attribute(value) for name, value in also.items()},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def add(self, key: Key, counter: str, amount: int, *, entity: str, also: Mapping[str, str | int]) -> Write:
        """Part of a transaction: a sum that any number of effects add to, without knowing it."""
        return self.tally(key, {counter: amount}, entity=entity, also=also, refused=refuse_with(Busy))

    def tally(
        self,
        key: Key,
        amounts: Mapping[str, int],
        *,
        entity: str,
        also: Mapping[str, str | int],
        absent: Sequence[str] = (),
        below: Mapping[str, int] = MappingProxyType({}),
        refused: Callable[[Item | None], Exception],
    ) -> Write:
        """As ``add``, several sums of one item, named as one likes.

        Refused when one of ``absent`` is there already, or one of ``below`` has reached its bound.
        """
        names = {name: f"#{place}" for place, name in enumerate(dict.fromkeys((*amounts, *absent, *below)))}
        values = {
            ":entity": attribute(entity),
            **{f":{name}": attribute(value) for name, value in also.items()},
            **{f":add{place}": attribute(amount) for place, amount in enumerate(amounts.values())},
            **{f":below{place}": attribute(bound) for place, bound in enumerate(below.values())},
        }
        sets = ", ".join(f"{name} = :{name}" for name in ("entity", *also))
        adds = ", ".join(f"{names[name]} :add{place}" for place, name in enumerate(amounts))
        conditions = [
            "(attribute_not_exists(pk) OR entity = :entity)",
            *(f"attribute_not_exists({names[name]})" for name in absent),
            *(
                f"(attribute_not_exists({names[name]}) OR {names[name]} < :below{place})"
                for place, name in enumerate(below)
            ),
        ]
        request = {
            "TableName": self._name,
            "Key": _key(key),
            "UpdateExpression": f"SET {sets} ADD {adds}",
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": {placed: name for name, placed in names.items()},
            "ExpressionAttributeValues": values,
        }
        return Write("Update", request, refused)

    def event(self, key: Key, tenant_id: str, event: Event) -> EventWrite:
        """The business event of an effect, in the effect's own transaction: two items of it."""
        return EventWrite("Put", {"TableName": self._name}, refuse_with(Busy), key, tenant_id, event)

    def _transact(self, actions: list[Write]) -> None:
        try:
            self._call("transact_write_items", TransactItems=[{action.action: action.request} for action in actions])
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            raise _refusal(actions, error.response.get("CancellationReasons", [])) from error

    def _membership_check(self, caller: Caller) -> Write:
        return self.check(
            keys.membership(caller.tenant_id, caller.user_id),
            only_if="version = :version",
            values={":version": caller.membership_version},
            refused=lambda _: MembershipChanged(),
        )

    def answered(self, key: Key, once: IdempotentRequest, answered: object, *, tenant_id: str | None = None) -> Write:
        """Part of a transaction, the first: the answer to a request that must not have its effect again."""
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="idempotency",
            schema_version=1,
            tenant_id=tenant_id,
            operation=once.operation,
            fingerprint=once.fingerprint,
            answer=compress(dump(once.answer_of(answered))),
            expires_at=int(self._clock.now().timestamp()) + IDEMPOTENCY_LIFE_SECONDS,
        )
        return self.create(content, lambda stored: replayed(once, stored) if stored else Busy())

    def _check_membership(self, caller: Caller, stored: Item | None) -> None:
        if stored is None or number(stored, "version") != caller.membership_version:
            self._trusted.pop(_identity(caller), None)
            raise MembershipChanged
        if len(self._trusted) > 1000:  # a warm function serves many people: forget them all now and then
            self._trusted.clear()
        self._trusted[_identity(caller)] = self._clock.monotonic()

    def _query(self, request: dict[str, Any]) -> Any:
        try:
            return self._call("query", **request)
        except ClientError as error:
            # Only a position that no page gave can lie outside of what is asked for.
            if "ExclusiveStartKey" in request and error.response["Error"]["Code"] == "ValidationException":
                raise PageTokenInvalid from error
            raise

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] in _RETRYABLE:
                raise DependencyUnavailable from error
            raise
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error


def _audited(one: EventWrite, caller: Caller | None, origin: Origin) -> tuple[Write, Write]:
    """The event, never written again, and the mark that it has no place in the feed yet."""
    mark = keys.unplaced(one.tenant_id, one.event.event_id)
    event = item(
        pk=one.key.pk,
        sk=one.key.sk,
        entity=EVENT,
        schema_version=1,
        tenant_id=one.tenant_id,
        event_type=one.event.event_type.value,
        body=dump(one.event),
        audit=dump(AuditTrail.of(caller, one.event, origin)),
    )
    marked = item(
        pk=mark.pk,
        sk=mark.sk,
        entity="unplaced_event",
        schema_version=1,
        tenant_id=one.tenant_id,
        event_pk=one.key.pk,
        event_sk=one.key.sk,
        outbox_pk=keys.unplaced_shard(one.tenant_id),
        outbox_sk=keys.outbox_order(one.event.occurred_at),
    )
    once = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return (
        Write("Put", {**one.request, **once, "Item": event}, one.refused),
        Write("Put", {**one.request, **once, "Item": marked}, one.refused),
    )


_INDEX_PREFIX = {
    "Listing": "listing",
    "ByStatus": "status",
    "ByCustomer": "customer",
    "ByDueDate": "due",
    "OwedByCustomer": "owed",
}


class _Conflicted(Exception):
    """Another transaction held one of the items: nothing was written, the same request may go again."""


def _refusal(actions: list[Write], reasons: list[Any]) -> Exception:
    """What the first refused condition means; membership and idempotency stand first in every transaction."""
    conflicted = False
    for action, reason in zip(actions, reasons, strict=True):
        if reason["Code"] == "ConditionalCheckFailed":
            return action.refused(reason.get("Item"))
        conflicted = conflicted or reason["Code"] in _TRANSIENT
    if conflicted:
        return _Conflicted()
    codes = ", ".join(str(reason["Code"]) for reason in reasons)
    return RuntimeError(f"transaction refused: {codes}")


def replayed(once: IdempotentRequest, stored: Item) -> Exception:
    """What a request means whose key has its answer already."""
    if text(stored, "fingerprint") != once.fingerprint:
        return IdempotencyKeyReused()
    return AlreadyAnswered(load(Answer, decompress(stored, "answer")))


def _identity(caller: Caller) -> tuple[str, str, int]:
    return caller.tenant_id, caller.user_id, caller.membership_version


def _key(key: Key) -> Item:
    return {"pk": attribute(key.pk), "sk": attribute(key.sk)}


def refuse_with(error: type[BillingError]) -> Callable[[Item | None], Exception]:
    return lambda _: error()

"""The objects of every account in one SQLite file: a restart finds them as they were.

What one request changes is written in one transaction, with the answer of its idempotency key and the events it made.
A name that begins with an underscore is ours, never told.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PLATFORM: Final = ""  # the account of the platform itself
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects(
    seq INTEGER PRIMARY KEY, account TEXT, kind TEXT, id TEXT UNIQUE, body TEXT, due INTEGER);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects(account, kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_due ON objects(due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers(
    account TEXT, key TEXT, asked TEXT, status INTEGER, body TEXT, request TEXT, created REAL,
    PRIMARY KEY(account, key));
CREATE TABLE IF NOT EXISTS deliveries(
    seq INTEGER PRIMARY KEY, event TEXT, due REAL, attempts INTEGER DEFAULT 0, held INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries(held, due);
"""

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an idempotency key was answered."""

    asked: str
    status: int
    body: str
    request_id: str
    created: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to the webhook."""

    number: int
    event_id: str
    attempts: int


class Store:
    def __init__(self, file: Path | str) -> None:
        self._lock = threading.RLock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)
        self._depth = 0

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of it or nothing, one after the other; it may be nested."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._database.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._database.execute("COMMIT")

    # Objects

    def put(self, account: str, found: Object) -> Object:
        """``_due`` is when something happens to it by itself."""
        with self._lock:
            self._database.execute(
                "INSERT INTO objects(account, kind, id, body, due) VALUES(?, ?, ?, ?, ?) "
                "ON CONFLICT(id) DO UPDATE SET body = excluded.body, due = excluded.due",
                (account, found["object"], found["id"], json.dumps(found), found.get("_due")),
            )
        return found

    def get(self, account: str, kind: str, object_id: str) -> Object | None:
        found = self._rows(
            "SELECT body FROM objects WHERE id = ? AND account = ? AND kind = ?", object_id, account, kind
        )
        return json.loads(found[0][0]) if found else None

    def find(self, account: str, object_id: str) -> Object | None:
        """Of whatever kind."""
        found = self._rows("SELECT body FROM objects WHERE id = ? AND account = ?", object_id, account)
        return json.loads(found[0][0]) if found else None

    def owner(self, kind: str, object_id: str) -> str | None:
        """The account that an object belongs to."""
        found = self._rows("SELECT account FROM objects WHERE id = ? AND kind = ?", object_id, kind)
        return found[0][0] if found else None

    def anywhere(self, kind: str, object_id: str) -> Object | None:
        """Of whatever account."""
        account = self.owner(kind, object_id)
        return None if account is None else self.get(account, kind, object_id)

    def all_of(self, account: str, kind: str, wanted: Callable[[Object], bool] = lambda _: True) -> list[Object]:
        """The latest first."""
        rows = self._rows("SELECT body FROM objects WHERE account = ? AND kind = ? ORDER BY seq DESC", account, kind)
        return [found for (body,) in rows if wanted(found := json.loads(body))]

    def due_objects(self, now: int) -> list[tuple[str, Object]]:
        """Those that something happens to by now, of every account."""
        rows = self._rows("SELECT account, body FROM objects WHERE due <= ? ORDER BY due, seq", now)
        return [(account, json.loads(body)) for account, body in rows]

    # Idempotency

    def answer(self, account: str, key: str) -> Answer | None:
        rows = self._rows(
            "SELECT asked, status, body, request, created FROM answers WHERE account = ? AND key = ?", account, key
        )
        return Answer(*rows[0]) if rows else None

    def keep_answer(self, account: str, key: str, answer: Answer) -> None:
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO answers(account, key, asked, status, body, request, created) "
                "VALUES(?, ?, ?, ?, ?, ?, ?)",
                (account, key, answer.asked, answer.status, answer.body, answer.request_id, answer.created),
            )

    # Webhooks on their way

    def deliver(self, event_id: str, *, due: float, held: bool) -> None:
        with self._lock:
            self._database.execute(
                "INSERT INTO deliveries(event, due, held) VALUES(?, ?, ?)", (event_id, due, int(held))
            )

    def due_deliveries(self, now: float, limit: int) -> list[Delivery]:
        rows = self._rows(
            "SELECT seq, event, attempts FROM deliveries WHERE held = 0 AND due <= ? ORDER BY due, seq LIMIT ?",
            now,
            limit,
        )
        return [Delivery(*row) for row in rows]

    def delivered(self, number: int) -> None:
        with self._lock:
            self._database.execute("DELETE FROM deliveries WHERE seq = ?", (number,))

    def deliver_again(self, number: int, *, due: float) -> None:
        with self._lock:
            self._database.execute(
                "UPDATE deliveries SET due = ?, attempts = attempts + 1 WHERE seq = ?", (due, number)
            )

    def held(self) -> list[int]:
        return [number for (number,) in self._rows("SELECT seq FROM deliveries WHERE held = 1 ORDER BY seq")]

    def release(self, numbers: list[int], *, due: float) -> None:
        """In this order, from then on."""
        with self.writing():
            for place, number in enumerate(numbers):
                self._database.execute(
                    "UPDATE deliveries SET held = 0, due = ? WHERE seq = ?", (due + place * 1e-6, number)
                )

    def waiting(self) -> int:
        count: int = self._rows("SELECT count(*) FROM deliveries")[0][0]
        return count

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

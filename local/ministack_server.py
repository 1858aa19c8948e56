"""ministack, saving the users it knows whenever they change; by itself it saves them only when it is stopped politely.

Run by the interpreter of ministack's own environment: nothing of the local cloud may be imported here.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import cryptography  # noqa: F401 - ministack would sign tokens with noise without it, and say nothing
from ministack import app as ministack  # type: ignore[import-not-found]
from ministack.core.persistence import save_all  # type: ignore[import-not-found]

_SAVED = ("cognito", "secretsmanager", "sns", "sqs", "lambda", "iam")
_SETTLE_SECONDS = 0.2
_changed = threading.Event()
_serve = ministack.app


async def app(scope: Any, receive: Any, send: Any) -> None:
    await _serve(scope, receive, send)
    if scope["type"] == "http" and scope["method"] != "GET" and _target(scope) in _MUTABLE:
        _changed.set()


_MUTABLE = {"awscognitoidentityproviderservice", "secretsmanager", "amazonsqs", ""}


def _target(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-amz-target":
            return str(value.decode("latin-1").split(".")[0].lower())
    # S3 keeps its objects by itself, and its requests name a path.
    return "" if scope["path"] == "/" or scope["path"].startswith("/2015-03-31/") else "objects"


def _save_changes() -> None:
    while True:
        _changed.wait()
        time.sleep(_SETTLE_SECONDS)
        _changed.clear()
        states = ministack._build_persistence_save_dict()  # noqa: SLF001 - what it saves at its end, saved now
        save_all({name: state for name, state in states.items() if name in _SAVED})


if __name__ == "__main__":
    ministack.app = app
    threading.Thread(target=_save_changes, daemon=True).start()
    ministack.main()

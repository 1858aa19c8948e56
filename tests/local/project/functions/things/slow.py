"""Waits, fails or dies as asked by the query."""

import os
import signal
import threading
import time
from typing import Any

one_at_a_time = threading.Lock()


class Unhappy(Exception):
    pass


def handler(event: dict[str, Any], _context: Any) -> Any:
    assert one_at_a_time.acquire(blocking=False), "entered twice"
    try:
        query = event.get("queryStringParameters", {})
        if query.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if query.get("fail"):
            raise Unhappy("as asked")
        time.sleep(float(query.get("seconds", 0)))
        return {"pid": os.getpid()}
    finally:
        one_at_a_time.release()

"""Waits, fails or dies as asked by the query."""

import os
import signal
import time

busy = False


class Unhappy(Exception):
    pass


def handler(event, _context):
    global busy
    assert not busy
    busy = True
    try:
        query = event.get("queryStringParameters", {})
        if query.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if query.get("fail"):
            raise Unhappy("as asked")
        time.sleep(float(query.get("seconds", 0)))
        return {"pid": os.getpid()}
    finally:
        busy = False

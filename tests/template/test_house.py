"""The tests' own house rules."""

import socket

import pytest


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_no_test_reaches_beyond_loopback(method: str) -> None:
    with socket.socket() as connection, pytest.raises(AssertionError, match=r"tried to reach 192\.0\.2\.1"):
        getattr(connection, method)(("192.0.2.1", 80))

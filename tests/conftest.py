"""What holds for every test: no network beyond loopback, no account of anybody, time to think for hypothesis.

Tests that start local clouds run one after the other, first and before all others: two clouds on two cores make each
other late. The processes that run the other tests give way to them.
"""

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

# Read when Powertools and boto3 are imported, so set before any test module is.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-west-3",
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_METRICS_NAMESPACE="ZenBilling",
    POWERTOOLS_SERVICE_NAME="zenbilling",
)
for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(variable, None)

pytest_plugins = ("tests.people",)

# A deadline per example measures the machine, not the rule.
settings.register_profile("zenbilling", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zenbilling")


CLOUDS: Final = ("tests/e2e/", "tests/security/", "tests/local/")
_WAY: Final = 10  # of a process's niceness


class OneCloudAtATime(LoadFileScheduling):  # type: ignore[misc]  # it ships no types
    """A file's tests run in one process, and all that start a local cloud in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return "clouds" if nodeid.startswith(CLOUDS) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneCloudAtATime:
    return OneCloudAtATime(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(CLOUDS))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ and not item.nodeid.startswith(CLOUDS) and os.nice(0) < _WAY:
        os.nice(_WAY)


class NetworkBlockedError(AssertionError):
    """A test tried to leave the machine. Not an OSError, which the code under test may catch."""


def _stays_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a UNIX socket
    host = str(address[0])
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            original = getattr(socket.socket, name)

            def guarded(self: socket.socket, address: Any, *, _connect: Any = original) -> Any:
                if not _stays_here(address):
                    raise NetworkBlockedError(f"a test tried to reach {address[0]}")
                return _connect(self, address)

            patch.setattr(socket.socket, name, guarded)
        yield

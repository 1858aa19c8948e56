"""Asked once for all tests of the template: importing every handler takes seconds."""

import pytest

from tests.template.reach import Reached, reached_by_handlers


@pytest.fixture(scope="session")
def reached() -> dict[str, Reached]:
    return reached_by_handlers()

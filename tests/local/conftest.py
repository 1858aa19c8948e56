"""A small project of the product's shape, served by a real local cloud."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.testing import LocalCloud, local_cloud


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that tests may change."""
    copy = tmp_path_factory.mktemp("project") / "project"
    shutil.copytree(Path(__file__).parent / "project", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="session")
def cloud(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(project=project, state=tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="session")
def http(cloud: LocalCloud) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=cloud.base_url, timeout=20, trust_env=False) as client:
        yield client

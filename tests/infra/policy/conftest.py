"""A real engine for tests of the pack."""

import pytest

from tests.infra.engine import arm, azure, mark_engine, project, pulumi_path

__all__ = ["arm", "azure", "project", "pulumi_path"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_engine(items)

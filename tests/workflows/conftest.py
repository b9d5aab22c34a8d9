"""A change in a small project, on a real engine."""

import pytest

from tests.infra.engine import arm, azure, mark_engine, project, pulumi_path
from tests.infra.review.project import change

__all__ = ["arm", "azure", "change", "project", "pulumi_path"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_engine(items)

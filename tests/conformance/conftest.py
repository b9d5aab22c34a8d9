"""Every test here needs the judge's data."""

import pytest

from tests.conformance.bicep import FOLDER


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if FOLDER.is_dir():
        return
    reason = f"there are no bicep types in {FOLDER}; set AGENTS_BICEP_TYPES to the folder that has them"
    for item in items:
        if "tests/conformance/" in item.nodeid:
            item.add_marker(pytest.mark.skip(reason=reason))

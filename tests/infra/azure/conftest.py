"""The data side declared once for all tests: small and open as dev has it, large and closed as prod does."""

import pytest

from tests.infra.azure.components import dev, prod
from tests.infra.azure.declaring import Declarations, declare


@pytest.fixture(scope="session")
def in_dev() -> Declarations:
    return declare(dev().declare)


@pytest.fixture(scope="session")
def in_prod() -> Declarations:
    return declare(prod().declare)

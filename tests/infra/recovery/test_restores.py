"""Restores by settings, through a real engine on real stores."""

from __future__ import annotations

from typing import Any

import pytest

from infra.naming import restored_database
from infra.settings.restores import written
from tests.infra.recovery.stack import ACCOUNT, DATABASE, GROUP, SERVER, Stack
from tests.infra.recovery.test_lost_data import second

pytestmark = [pytest.mark.timeout(600)]


def test_restores_leave_their_sources_alone_and_can_be_taken_away(stack: Stack) -> None:
    """A second one, one of an earlier one, the same settings again, and none."""
    stack.up()
    stack.backed_up()
    originals = _ids(stack)
    first = second()
    entry: dict[str, Any] = {"as_of": written(first)}
    stack.configure(restores=[entry])
    stack.up()
    once = _ids(stack)
    assert originals.items() < once.items()
    stack.project.pulumi("preview", "--refresh", "--expect-no-changes")
    stack.configure(restores=[{**entry, "stamp": "dev-dr"}])
    refused = stack.up(fails=True)
    for service in ("sql", "cosmos"):
        assert f"{service} as of {written(first)}: it was made of the original, and would have" in refused

    stack.backed_up()
    later = second()
    stack.configure(restores=[entry, {"as_of": written(later), "of": written(first), "services": ["cosmos"]}])
    stack.up()
    twice = _ids(stack)
    assert once.items() < twice.items()
    assert len(twice) == len(once) + 1
    assert f"{later:%Y%m%d%H%M%S}" in stack.project.outputs()["endpoint"]
    assert stack.project.outputs()["database"] == restored_database(DATABASE, first)

    stack.configure()
    stack.up()
    assert _ids(stack) == twice
    assert stack.project.outputs()["database"] == DATABASE


def test_agents_do_not_follow_to_a_copy_that_is_not_like_the_original(stack: Stack) -> None:
    stack.up()
    stack.backed_up()
    as_of = second()
    looked_at = {"as_of": written(as_of), "adopted": False}
    stack.configure(restores=[looked_at])
    stack.up()
    copy = f"{ACCOUNT}-{as_of:%Y%m%d%H%M%S}"
    (role, *_) = stack.cosmos.sql_resources.list_sql_role_assignments(GROUP, copy)
    stack.cosmos.sql_resources.begin_delete_sql_role_assignment(
        role.name, GROUP, copy, polling_interval=0
    ).result()
    stack.configure(restores=[{**looked_at, "adopted": True}])
    refused = stack.up(fails=True)
    assert "data role assignments" in refused
    assert copy not in stack.project.outputs()["endpoint"]
    stack.up(refresh=True)
    assert copy in stack.project.outputs()["endpoint"]

    beside = restored_database(DATABASE, as_of)
    stack.sql.transparent_data_encryptions.begin_create_or_update(
        GROUP, SERVER, beside, "current", {"properties": {"state": "Disabled"}}, polling_interval=0
    ).result()
    assert "encryption at rest" in stack.up(fails=True)
    stack.up(refresh=True)
    assert stack.project.outputs()["database"] == beside


def _ids(stack: Stack) -> dict[str, str]:
    return {**stack.accounts(), **stack.databases()}

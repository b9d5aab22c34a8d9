"""Data that was deleted in Azure, through a real engine: refused, restored or given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.naming import restored_database
from infra.settings.restores import written
from tests.infra.recovery.stack import ACCOUNT, DATABASE, Stack
from tests.waiting import until

pytestmark = [pytest.mark.timeout(600)]


def second() -> datetime:
    """The next second, once it has passed: after what was done before, and before what is done after."""
    found = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > found, seconds=5)
    return found


def test_deleted_data_is_refused_until_it_is_restored(stack: Stack) -> None:
    stack.up()
    stack.backed_up()
    as_of = second()
    before, rows = stack.accounts()[ACCOUNT], stack.databases()[DATABASE]
    stack.drop_account()
    stack.drop_database()

    refused = stack.up(refresh=True, fails=True)
    assert f"account {ACCOUNT} ({before}) is gone: it was deleted at" in refused
    assert f"database {DATABASE} ({rows}) is gone: it was deleted at" in refused
    assert stack.accounts() == {}
    assert stack.databases() == {}

    stack.configure(restores=[{"as_of": written(as_of)}])
    stack.up(refresh=True)
    copy, beside = f"{ACCOUNT}-{as_of:%Y%m%d%H%M%S}", restored_database(DATABASE, as_of)
    assert stack.accounts().keys() == {ACCOUNT, copy}
    assert stack.databases().keys() == {DATABASE, beside}
    assert before not in stack.accounts().values()
    assert stack.project.outputs()["database"] == beside
    assert copy in stack.project.outputs()["endpoint"]

    known = stack.accounts(), stack.databases()
    stack.project.pulumi("preview", "--refresh", "--expect-no-changes")
    stack.configure()
    stack.up()
    assert (stack.accounts(), stack.databases()) == known, "copies stay when their settings go"
    assert stack.project.outputs()["database"] == DATABASE


def test_what_is_given_up_begins_empty_once(stack: Stack) -> None:
    stack.up()
    account, database = stack.accounts()[ACCOUNT], stack.databases()[DATABASE]
    stack.configure(begin_empty=[account])
    assert "is not deleted" in stack.up(fails=True)
    stack.drop_account()
    stack.drop_server()
    assert "its server with it" in stack.up(refresh=True, fails=True)
    stack.configure(begin_empty=[account, database])
    stack.up(refresh=True)
    stack.project.pulumi("preview", "--expect-no-changes")
    again = stack.accounts()[ACCOUNT]
    assert again != account
    stack.drop_account()
    assert f"({again}) is gone" in stack.up(refresh=True, fails=True)


def test_destroyed_on_purpose_is_not_lost(stack: Stack) -> None:
    stack.up()
    stack.project.pulumi("destroy", "--yes", "--skip-preview")
    stack.up()
    assert stack.accounts().keys() == {ACCOUNT}


def test_a_deleted_group_is_refused_like_what_was_in_it(stack: Stack) -> None:
    stack.up()
    before = stack.accounts()[ACCOUNT], stack.databases()[DATABASE]
    second()
    stack.drop_group()
    refused = stack.up(refresh=True, fails=True)
    assert f"account {ACCOUNT}" in refused
    assert f"database {DATABASE}" in refused
    assert [one.name for one in stack.groups.resource_groups.list()] == []
    account, database = before
    as_of = stack.deleted(account)
    stack.configure(restores=[{"as_of": written(as_of), "services": ["cosmos"]}], begin_empty=[database])
    stack.up(refresh=True)
    assert stack.accounts().keys() == {ACCOUNT, f"{ACCOUNT}-{as_of:%Y%m%d%H%M%S}"}
    stack.project.pulumi("preview", "--refresh", "--expect-no-changes")

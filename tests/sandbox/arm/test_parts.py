"""The core's small parts: ids, filters, merge, the store."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arm.database import Database
from sandbox.arm.errors import ArmError
from sandbox.arm.filters import Term, parse_filter
from sandbox.arm.ids import ancestors, parse, parse_id
from sandbox.arm.merge import merge_patch
from sandbox.arm.resource import Resource
from sandbox.arm.store import SqliteStore

GROUP = "/subscriptions/s/resourceGroups/g"
DATABASE = f"{GROUP}/providers/Microsoft.Sql/servers/a/databases/b"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


def test_ids() -> None:
    id_ = parse_id(DATABASE)
    assert (id_.type, id_.names, id_.scope) == ("Microsoft.Sql/servers/databases", ("a", "b"), GROUP)
    assert (id_.subscription, id_.group, id_.name) == ("s", "g", "b")
    assert id_ == parse_id(DATABASE.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert len({id_, parse_id(DATABASE.lower())}) == 1
    assert [str(above) for above in ancestors(id_)] == [DATABASE.rsplit("/", 2)[0], GROUP, "/subscriptions/s"]


def test_an_empty_parent_is_none() -> None:
    assert str(parse_id(DATABASE.replace("Sql/servers", "Sql//servers"))) == DATABASE
    with pytest.raises(ArmError, match="empty segment"):
        parse_id(DATABASE.replace("/databases", "//databases"))


def test_extensions_keep_their_scope() -> None:
    id_ = parse_id(f"{DATABASE}/providers/Microsoft.Authorization/roleAssignments/r")
    assert (id_.type, id_.scope, id_.group) == ("Microsoft.Authorization/roleAssignments", DATABASE, "g")
    assert str(ancestors(id_)[0]) == DATABASE
    assert parse_id("/providers/Microsoft.Management/managementGroups/m").scope == ""
    # A resource may be called like the word that begins a block.
    named = parse_id(f"{GROUP}/providers/Microsoft.Test/things/providers")
    assert (named.type, named.name) == ("Microsoft.Test/things", "providers")


def test_collections_and_actions() -> None:
    path = parse(f"{GROUP}/providers/Microsoft.Sql/servers/a/databases")
    assert not path.is_resource
    assert str(path.owner) == f"{GROUP}/providers/Microsoft.Sql/servers/a"
    assert str(parse(f"{GROUP}/providers/Microsoft.Sql/servers").owner) == GROUP
    with pytest.raises(ArmError, match="does not name a resource"):
        parse_id(f"{GROUP}/providers/Microsoft.Sql/servers")


@given(st.text(alphabet="/ab", max_size=12) | st.text(max_size=20))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(ArmError):
        assert parse(text).text.startswith("/")


@given(st.text(max_size=30))
def test_any_filter_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ArmError):
        assert isinstance(parse_filter(text), list)


def test_filters() -> None:
    assert parse_filter("(name eq 'it''s') and startswith(tagName, 'x') and atScope()") == [
        Term("name", "eq", "it's"),
        Term("tagname", "startswith", "x"),
        Term("", "atscope", ""),
    ]


@given(JSON, JSON)
def test_merging_is_idempotent_and_changes_neither_side(target: object, patch: object) -> None:
    before = (repr(target), repr(patch))
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once
    assert (repr(target), repr(patch)) == before


def test_the_store_keeps_what_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "azure.db"
    database = Database(path)
    store = SqliteStore(database)
    for text in (GROUP, DATABASE, f"{GROUP}2", DATABASE.rsplit("/", 2)[0]):
        store.save(Resource(parse_id(text), {"properties": {"of": text}}, 1.0, 2.0))
    # As after a kill: another connection, the first never closed.
    again = SqliteStore(Database(path))
    found = again.get(DATABASE.upper())
    assert found is not None
    assert (str(found.id), found.properties["of"], found.created_at) == (DATABASE, DATABASE, 1.0)
    assert [str(each.id) for each in again.list(under=GROUP)] == [DATABASE.rsplit("/", 2)[0], DATABASE]
    assert [each.id.name for each in again.list(type="microsoft.sql/SERVERS")] == ["a"]
    assert len(list(again.list(under="/"))) == 4
    assert (path.stat().st_mode & 0o777) == 0o600


def test_soft_deletion(tmp_path: Path) -> None:
    database = Database(tmp_path / "azure.db")
    store = SqliteStore(database)
    resource = Resource(parse_id(DATABASE), {"location": "westeurope"}, time.time(), time.time())
    store.save(resource)
    store.keep_deleted(resource, days=7)
    assert store.get(DATABASE) is None
    (kept,) = store.deleted("Microsoft.Sql/servers/databases")
    assert kept.properties["scheduledPurgeDate"] > kept.properties["deletionDate"]
    store.purge(kept)
    assert list(store.deleted("Microsoft.Sql/servers/databases")) == []
    store.save(resource)
    store.keep_deleted(resource, days=0)
    assert list(store.deleted("Microsoft.Sql/servers/databases")) == []


def test_transactions_are_all_or_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "azure.db")
    store = SqliteStore(database)
    resource = Resource(parse_id(GROUP), {}, 1.0, 1.0)

    def fail() -> None:
        with database.transaction():
            store.save(resource)
            with database.transaction():
                store.mark(resource.id, "put")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.get(GROUP) is None
    with database.transaction():
        store.save(resource)
    assert store.get(GROUP) is not None

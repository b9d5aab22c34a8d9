"""Which data agents leave, for which, and what becomes of a stamp: in words."""

from __future__ import annotations

import json

import pytest

from infra.review.moves import data_moves, given_up

IDENTITY = "8f3c1a52-0d5e-4b57-9c39-5d1b1a6f0c11"
NINE = {"as_of": "2026-11-28T09:00:00Z", "services": ["sql"]}
TEN = {"as_of": "2026-11-28T10:00:00Z", "services": ["sql"]}
BOTH = {"as_of": "2026-11-28T09:00:00Z"}
ASIDE = {"adopted": False}
SECOND = {"as_of": "2026-11-28T12:00:00Z", "services": ["sql"], "of": NINE["as_of"]}


def settings(*restores: dict[str, object], **others: object) -> str:
    values = {"agents:restores": list(restores), **{f"agents:{key}": one for key, one in others.items()}}
    return json.dumps({"config": values})


def moves(before: str | None, after: str | None) -> list[str]:
    return data_moves(before, after, "prod-dr", {IDENTITY: "account cosmos-agents-prod"})


@pytest.mark.parametrize(
    ("before", "after", "left", "used", "since"),
    [
        ([], [NINE], "the original", "the copy as of 2026-11-28T09:00:00Z", "09:00:00"),
        ([NINE | ASIDE], [NINE], "the original", "the copy as of 2026-11-28T09:00:00Z", "09:00:00"),
        ([NINE], [NINE | ASIDE], "the copy as of 2026-11-28T09:00:00Z", "the original", "09:00:00"),
        # A second, later or earlier copy of the original: it has nothing of what was written to the first.
        (
            [NINE],
            [NINE, TEN],
            "the copy as of 2026-11-28T09:00:00Z",
            "the copy as of 2026-11-28T10:00:00Z",
            "09:00:00",
        ),
        (
            [TEN],
            [TEN, NINE],
            "the copy as of 2026-11-28T10:00:00Z",
            "the copy as of 2026-11-28T09:00:00Z",
            "09:00:00",
        ),
        # A copy of the copy has what was written to it until then.
        (
            [NINE],
            [NINE, SECOND],
            "the copy as of 2026-11-28T09:00:00Z",
            "the copy as of 2026-11-28T12:00:00Z of the copy as of 2026-11-28T09:00:00Z",
            "12:00:00",
        ),
        (
            [NINE, SECOND],
            [NINE | ASIDE, SECOND | ASIDE],
            "the copy as of 2026-11-28T12:00:00Z of the copy as of 2026-11-28T09:00:00Z",
            "the original",
            "09:00:00",
        ),
    ],
    ids=["added", "adopted", "left", "later", "earlier", "of-a-copy", "back-from-a-copy-of-a-copy"],
)
def test_agents_move(
    before: list[dict[str, object]], after: list[dict[str, object]], left: str, used: str, since: str
) -> None:
    (found,) = moves(settings(*before), settings(*after))
    assert found == (
        f"Agents move to other data of Azure SQL: from {left} to {used}. What was written to {left} after "
        f"2026-11-28T{since}Z stays behind in it"
    )


def test_each_service_moves_by_itself() -> None:
    found = moves(settings(), settings(BOTH))
    assert [one.split(":")[0] for one in found] == [
        "Agents move to other data of Azure SQL",
        "Agents move to other data of Cosmos DB",
    ]
    assert moves(settings(BOTH), settings(NINE))[0].startswith("Agents move to other data of Cosmos DB")


def test_a_copy_that_is_removed_stays_unless_it_is_not_kept() -> None:
    moved, stays = moves(settings(NINE), settings())
    assert "from the copy as of 2026-11-28T09:00:00Z to the original" in moved
    assert stays == (
        "The copy as of 2026-11-28T09:00:00Z of Azure SQL leaves the settings and stays in Azure, unmanaged"
    )
    (deleted,) = moves(settings(NINE | ASIDE | {"kept": False}), settings())
    assert deleted.endswith("leaves the settings and is deleted with what is in it")


@pytest.mark.parametrize("after", [settings(NINE | ASIDE), settings(NINE | {"as_of": "never"})])
def test_nobody_moves_for_a_copy_to_look_at_or_a_wrong_one(after: str) -> None:
    assert moves(settings(), after) == []


def test_settings_are_read_as_files_have_them() -> None:
    """A structure as text, as `pulumi config set` writes it, and a moment that YAML takes for one."""
    text = json.dumps({"config": {"agents:restores": json.dumps([NINE])}})
    moment = "config:\n  agents:restores:\n    - as_of: 2026-11-28T09:00:00Z\n      services: [sql]\n"
    assert moves(None, text) == moves(None, moment) == moves(settings(), settings(NINE))


def test_what_is_given_up_is_named() -> None:
    before, after = settings(begin_empty=[]), settings(begin_empty=[IDENTITY, IDENTITY.replace("8", "9")])
    known, unknown = moves(before, after)
    assert known == (
        f"The data of account cosmos-agents-prod ({IDENTITY}), which was deleted, is given up: it is not "
        "restored, and agents begin with nothing"
    )
    assert unknown.startswith("The data of an account or a database (9f3c")
    assert given_up(after, after) == moves(after, after) == moves(after, before) == []


def stamp(role: str = "recovery", **recovery: object) -> str:
    return settings(role=role, source="prod", recovery=recovery)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (stamp(), stamp(phase="drained"), "from serving to drained: prod-dr's agents finish"),
        (stamp(phase="drained"), stamp(phase="returned"), "in the region of prod again"),
        (stamp(phase="returned"), stamp(), "from returned to serving: prod-dr takes over the data of prod"),
        (stamp(), stamp(acknowledged=True), "although prod still answers"),
        (stamp(acknowledged=True), stamp(), "only when prod does not answer"),
    ],
)
def test_a_stamp_says_what_becomes_of_it(before: str, after: str, words: str) -> None:
    (found,) = moves(before, after)
    assert words in found


def test_a_new_stamp_and_another_role_say_nothing() -> None:
    assert moves(None, stamp()) == []
    assert moves(stamp("backup"), stamp("backup", phase="drained")) == []


def test_a_stamp_with_data_of_its_own_is_told_of() -> None:
    restored: dict[str, object] = {"cosmos": "restore", "as_of": NINE["as_of"], "sql": "geo-restore"}
    rows, documents = moves(stamp(), stamp(**restored))
    assert "prod-dr has data of Azure SQL for itself (geo-restore), from the newest geo-redundant" in rows
    assert "as of 2026-11-28T09:00:00Z: what was written later is left out" in documents
    assert moves(stamp(**restored), stamp(**restored)) == []
    (returned,) = moves(stamp(**restored), stamp(**restored, phase="returned"))
    assert "what prod-dr has for itself of Azure SQL and Cosmos DB can be fetched by prod" in returned


def test_agents_move_to_what_a_stamp_had() -> None:
    (said,) = moves(settings(), settings(TEN | {"stamp": "prod-dr"}))
    assert "from the original to the copy as of 2026-11-28T10:00:00Z of what prod-dr had" in said
    assert "What was written to the original since prod-dr began to stand in stays behind in it" in said

"""Data that was deleted behind Pulumi's back: nothing empty takes its place until somebody has said what may.

`pulumi up --refresh` finds that an account or a database is gone and would make a new one under its name,
with which agents would go on as if nothing had ever been. So each that the stack's state knows and Azure no
longer has is refused, unless a restore in the settings takes its data up, or `agents:begin_empty` gives up
that very one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from infra.settings.restores import Restore, written
from infra.stacks.recorded import Recorded
from infra.stacks.restore_sources import Kind, Source, Sources, newest


def problems_of(
    recorded: Sequence[Recorded],
    restores: Sequence[Restore],
    given_up: Sequence[str],
    sources: Sources,
    now: datetime,
) -> list[str]:
    """An entry for each loss that no setting answers, and for each living thing that is given up."""
    found = []
    for one in recorded:
        if sources.find(one.service, one.name) is not None:
            if one.identity in given_up:
                found.append(f"  - {_title(one)} is given up by agents:begin_empty, and is not deleted")
        elif one.identity not in given_up:
            deleted = _deleted(one, sources, now)
            if not any(_takes_up(restore, one, deleted, sources) for restore in restores):
                found.append(_told(one, deleted, restores, sources))
    return found


def _deleted(one: Recorded, sources: Sources, now: datetime) -> list[Source]:
    """What can be had of it, the best first. Without the server only its long-term backups are left."""
    known = [source for source in sources.of(one.service, one.name, now) if source.kind is not Kind.THERE]
    return [source for source in known if source.identity in {"", one.identity}]


def _takes_up(restore: Restore, one: Recorded, deleted: Sequence[Source], sources: Sources) -> bool:
    """Whether a restore has the lost data: it will be made from it, or was, by an update that did not end."""
    if one.service not in restore.services or sources.name(one.service, restore.of) != one.name:
        return False
    if restore.stamp is not None:
        return False
    held = [source for source in deleted if source.holds(restore.as_of)]
    copy = sources.find(one.service, sources.name(one.service, restore.as_of))
    if copy is None:
        return bool(held)
    return any(_made_from(copy, source) for source in held)


def _made_from(copy: dict[str, Any], source: Source) -> bool:
    """Cosmos DB says what an account was restored from; a database is younger than what it was made from."""
    known = copy["properties"]
    if source.identity:
        named = str((known.get("restoreParameters") or {}).get("restoreSource", ""))
        return named.rpartition("/")[2].lower() == source.identity
    created = datetime.fromisoformat(known["creationDate"]).astimezone(UTC)
    return created > source.last


def _told(one: Recorded, deleted: Sequence[Source], restores: Sequence[Restore], sources: Sources) -> str:
    copies = [known for known in restores if sources.name(one.service, known.as_of) == one.name]
    lines = [f"  - {_title(one)} is gone{_since(one, deleted, sources)}"]
    if deleted:
        best = deleted[0]
        lines += [
            "    To have its data back, in a copy that agents then use:",
            "      agents:restores:",
            f'        - as_of: "{written(newest(best))}"',
            f"          services: [{one.service}]",
            *(f'          of: "{written(copy.as_of)}"' for copy in copies),
            *(f"    where {source.window}" for source in deleted),
            "    To begin empty instead:",
        ]
    else:
        lines.append("    Nothing that whoever deploys may read has its data. To begin empty:")
    return "\n".join([*lines, "      agents:begin_empty:", f"        - {one.identity}"])


def _since(one: Recorded, deleted: Sequence[Source], sources: Sources) -> str:
    if deleted and deleted[0].kind is Kind.DELETED:
        return f": it was deleted at {written(deleted[0].last)}"
    if one.service == "sql" and sources.server() is None:
        return ", and its server with it, which had the backups for points in time"
    return ""


def _title(one: Recorded) -> str:
    return f"{one.title} ({one.identity})"

"""Whether what is to be restored can be, and from what: asked before anything is declared, so that nothing is
half done.

A restore that was made is not asked about again: its point leaves the window, the copy stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from infra.settings.restores import Restore, Service, written
from infra.stacks.recorded import Recorded
from infra.stacks.restore_sources import Kind, Source, Sources


def problems_of(restores: Sequence[Restore], sources: Sources, now: datetime) -> list[str]:
    """A line for each restore that cannot be done, with what can."""
    found = []
    for restore in restores:
        for service in restore.services:
            if restore.as_of > now:
                found.append(f"  - {service} as of {written(restore.as_of)}: it is {written(now)} now")
            elif not sources.done(service, restore.as_of) and (
                why := _why_not(service, restore, sources, now)
            ):
                found.append(f"  - {service} as of {written(restore.as_of)}: {why}")
    return found


def altered(restores: Sequence[Restore], held: Sequence[Recorded], sources: Sources) -> list[str]:
    """A line for each restore that was made of something else than its entry says by now.

    It would be passed over: a copy is made once, and agents would go on with data that nobody means.
    """
    made_of = {(one.service, one.name): one.made_of for one in held}
    found = []
    for restore in restores:
        for service in restore.services:
            was = made_of.get((service, sources.name(service, restore.as_of)))
            if was and was != restore.made_of and sources.done(service, restore.as_of):
                found.append(
                    f"  - {service} as of {written(restore.as_of)}: it was made of {was}, and would have to "
                    f"be of {restore.made_of}; a copy is made once. Add an entry with another as_of, and "
                    "leave this one as it was"
                )
    return found


def lost_sources(
    restores: Sequence[Restore], sources: Sources, now: datetime
) -> dict[tuple[Service, datetime], Source]:
    """Of the restores that are yet to be made, those from something that this environment does not have: what
    was deleted, a long-term backup, another stack's data."""
    found: dict[tuple[Service, datetime], Source] = {}
    for restore in restores:
        for service in restore.services:
            if sources.done(service, restore.as_of):
                continue
            source = source_of(service, restore, sources, now)
            if source is not None and source.kind is not Kind.THERE:
                found[service, restore.as_of] = source
    return found


def source_of(service: Service, restore: Restore, sources: Sources, now: datetime) -> Source | None:
    """Whose history holds the moment: what is there before what was deleted, the last deletion first."""
    known = sources.candidates(service, restore, now)
    return next((one for one in known if one.holds(restore.as_of)), None)


def _why_not(service: Service, restore: Restore, sources: Sources, now: datetime) -> str:
    name = sources.name(service, restore.of)
    known = sources.candidates(service, restore, now)
    if any(one.holds(restore.as_of) for one in known):
        return ""
    if known:
        return "; ".join(one.window for one in known)
    if restore.stamp is not None:
        return (
            f"{restore.stamp} has no {'database' if service == 'sql' else 'account'} for itself that is "
            "ready to be fetched. Let its agents go first: pulumi config set --stack "
            f"{restore.stamp} --path agents:recovery.phase drained, pulumi up, then the same with returned"
        )
    if restore.of is not None and not sources.done(service, restore.of):
        return f"its source, as of {written(restore.of)}, is not restored yet; run pulumi up for that first"
    kind = "database" if service == "sql" else "account"
    return f"there is no {kind} {name} with a history that whoever deploys may read"

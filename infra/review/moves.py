"""What a change of settings does with agents' data, in sentences: which data they leave, for which, and what
stays behind; and what becomes of a stamp (docs/recovery.md).

The settings table shows the same changes as values; this says what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from infra.settings.base import NAMESPACE
from infra.settings.recovery import RecoverySettings
from infra.settings.restores import SERVICES, Restore, Service, of_service, written

_TITLES: Mapping[Service, str] = {"sql": "Azure SQL", "cosmos": "Cosmos DB"}
_RESTORES = TypeAdapter(tuple[Restore, ...])
_PHASES = {
    "drained": "{stack}'s agents finish what they have and go, and nobody answers for {source} until "
    "{source} is updated",
    "returned": "SQL and Cosmos DB are written in the region of {source} again, from what was written in "
    "the meantime, without loss",
    "serving": "{stack} takes over the data of {source} and, with agents:recovery.traffic, its name",
}


def data_moves(before: str | None, after: str | None, stack: str, names: Mapping[str, str]) -> list[str]:
    """Sentences on two texts of `Pulumi.<stack>.yaml`. `names`: of accounts and databases by their ids.

    Settings that are wrong are passed over: the preview fails on them, and says why.
    """
    old, new = _values(before), _values(after)
    return [
        *_restored(_restores(old), _restores(new)),
        *(_given_up(names.get(one, "an account or a database"), one) for one in given_up(before, after)),
        *_stamp(old, new, stack),
    ]


def given_up(before: str | None, after: str | None) -> list[str]:
    """Ids that a change adds to `agents:begin_empty`."""
    old, new = (_values(text).get("begin_empty") or () for text in (before, after))
    return [str(one).lower() for one in new if one not in old]


def _given_up(name: str, identity: str) -> str:
    return (
        f"The data of {name} ({identity}), which was deleted, is given up: it is not restored, and agents "
        "begin with nothing"
    )


def _restored(before: Sequence[Restore], after: Sequence[Restore]) -> Iterator[str]:
    for service in SERVICES:
        old, new = of_service(before, service), of_service(after, service)
        left, used = _used(old), _used(new)
        if left != used:
            since = f"after {written(left.parts_from(used))}"
            if stamp := _last(used.stamps or left.stamps):
                since = f"since {stamp} began to stand in"
            yield (
                f"Agents move to other data of {_TITLES[service]}: from {left.title} to {used.title}. "
                f"What was written to {left.title} {since} stays behind in it"
            )
        remaining = {restore.as_of for restore in new}
        for restore in old:
            if restore.as_of not in remaining:
                title = _Copy.of(restore, old).title
                fate = "stays in Azure, unmanaged" if restore.kept else "is deleted with what is in it"
                yield f"{title[:1].upper()}{title[1:]} of {_TITLES[service]} leaves the settings and {fate}"


@dataclass(frozen=True)
class _Copy:
    """Data of a service, by the moments at which it was copied, and copied again; none for the original."""

    moments: tuple[datetime, ...] = ()
    #: The stamps that it was fetched from.
    stamps: tuple[str, ...] = ()

    @classmethod
    def of(cls, restore: Restore, known: Sequence[Restore]) -> _Copy:
        """`known`: the service's restores, in which a source stands before its copies."""
        source = next((one for one in known if one.as_of == restore.of), None)
        above = cls.of(source, known[: known.index(source)]) if source else cls()
        fetched = (restore.stamp,) if restore.stamp else ()
        return cls((*above.moments, restore.as_of), (*above.stamps, *fetched))

    @property
    def title(self) -> str:
        """As a person names it, in the middle of a sentence."""
        if not self.moments:
            return "the original"
        *above, own = map(written, self.moments)
        if self.stamps and not above:
            return f"the copy as of {own} of what {self.stamps[-1]} had"
        return f"the copy as of {own}" + (f" of the copy as of {above[-1]}" if above else "")

    def parts_from(self, other: _Copy) -> datetime:
        """The last moment of which both have the same data."""
        shared = 0
        while self.moments[: shared + 1] == other.moments[: shared + 1]:
            shared += 1
        return min((*self.moments[shared : shared + 1], *other.moments[shared : shared + 1]))


def _last(stamps: Sequence[str]) -> str:
    return stamps[-1] if stamps else ""


def _used(restores: Sequence[Restore]) -> _Copy:
    """What agents use: the last that is adopted, else the original."""
    adopted = [restore for restore in restores if restore.adopted]
    return _Copy.of(adopted[-1], restores) if adopted else _Copy()


def _stamp(old: Mapping[str, Any], new: Mapping[str, Any], stack: str) -> Iterator[str]:
    if new.get("role") != "recovery":
        return
    before, after, source = _recovery(old), _recovery(new), str(new.get("source", "its source"))
    if before.phase != after.phase:
        own = [_TITLES[one] for one, how in _sources(after).items() if how != "failover"]
        does = _PHASES[after.phase].format(stack=stack, source=source)
        if after.phase == "returned" and own:
            does = (
                f"what {stack} has for itself of {' and '.join(own)} can be fetched by {source} "
                f"(agents:restores with stamp: {stack}); what failed over is written in its region again"
            )
        yield f"The stamp's phase goes from {before.phase} to {after.phase}: {does}"
    for service, how in _sources(after).items():
        if how != _sources(before)[service] and how != "failover":
            yield (
                f"{stack} has data of {_TITLES[service]} for itself ({how}), "
                + (
                    f"as of {written(after.as_of)}: what was written later is left out"
                    if service == "cosmos" and after.as_of
                    else "from the newest geo-redundant backup: on Azure that is up to an hour old"
                )
                + f". What agents write to it is not in {source} until {source} fetches it"
            )
    if after.acknowledged and not before.acknowledged:
        yield (
            f"{stack} may take over from {source} although {source} still answers "
            "(agents:recovery.acknowledged): its data and its name move while its agents are there"
        )
    if before.acknowledged and not after.acknowledged:
        yield f"{stack} takes over from {source} only when {source} does not answer any more"


def _sources(recovery: RecoverySettings) -> Mapping[Service, str]:
    """Where a stamp's data comes from."""
    return {"sql": recovery.sql, "cosmos": recovery.cosmos}


def _values(text: str | None) -> dict[str, Any]:
    config = (yaml.safe_load(text or "") or {}).get("config") or {}
    prefix = f"{NAMESPACE}:"
    # `pulumi config set` without --path writes a structure as text.
    return {
        key.removeprefix(prefix): yaml.safe_load(value)
        if isinstance(value, str) and value[:1] in {"[", "{"}
        else value
        for key, value in config.items()
        if key.startswith(prefix)
    }


def _restores(values: Mapping[str, Any]) -> Sequence[Restore]:
    try:
        return _RESTORES.validate_python(values.get("restores") or ())
    except ValidationError:
        return ()


def _recovery(values: Mapping[str, Any]) -> RecoverySettings:
    try:
        return RecoverySettings.model_validate(values.get("recovery") or {})
    except ValidationError:
        return RecoverySettings()

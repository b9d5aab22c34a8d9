"""Whether a stamp may stand in for its source: asked before anything is declared.

Two of them serving at once is what must not happen by accident: each would have its own topic and queues, and
whoever asks would be answered by one or the other. So a source that answers is not taken over from without
being told to. Nor are phases done backwards or left out by accident, which would take over by force from a
source that is whole, or let data be fetched that agents still write. A preview changes nothing, so it only
says what an update would refuse.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.error import HTTPError, URLError

import pulumi

from infra.azure import resource_manager
from infra.azure.dns import relative_name
from infra.azure.resource_manager import Read
from infra.azure.traffic import SERVED_BY
from infra.settings import Settings, SettingsError
from infra.settings.restores import SERVICES, Service
from infra.stacks import recorded, stamp_sources
from infra.stacks.source import Source
from infra.stacks.stamp_sources import set_command

_TRIES, _SECONDS = 3, 3
#: The application puts it on every answer, and the way in on none (`app/api/correlation.py`).
_BY_AN_AGENT = "x-correlation-id"
_DNS = "2018-05-01"
#: A URL -> what answered there in a way that only something alive answers, or None.
Ask = Callable[[str], str | None]


@dataclass(frozen=True)
class World:
    """What is looked at beyond the settings. `has_agents`: whether this stack's last update left any."""

    read: Read
    ask: Ask
    has_agents: Callable[[], bool]


def check(settings: Settings, source: Source, zone: str) -> tuple[str, str]:
    """Raises SettingsError for what cannot be, or must not be without being acknowledged.

    The result is the region and the instance id of the account that the stamp's own is restored from; empty
    texts where it has none of its own.
    """
    world = World(resource_manager.reader(source.cloud), answer_of, recorded.has_agents)
    problems = problems_of(settings, source, zone, world)
    if not problems:
        restores = settings.recovery.cosmos == "restore"
        return stamp_sources.restore_source(settings, source, world.read) if restores else ("", "")
    text = "\n".join([f"{settings.environment} cannot stand in for {settings.source}:", *problems])
    if not pulumi.runtime.is_dry_run():
        raise SettingsError(text)
    pulumi.log.warn(f"{text}\nThis is a preview; an update would be refused.")
    return "", ""


def problems_of(settings: Settings, source: Source, zone: str, world: World) -> list[str]:
    """A line for each, with its remedy."""
    found = [*_misplaced(settings, source)]
    if found:  # what is missing is not asked for
        return found
    match settings.recovery.phase:
        case "serving":
            found += stamp_sources.problems_of(settings, source, world.read)
            if not found and not settings.recovery.acknowledged:
                found += _unacknowledged(settings, source, zone, world)
        case "drained":
            found += _never_served(settings, source, world.read)
        case "returned":
            found += _not_drained(settings, world)
    return found


def _unacknowledged(settings: Settings, source: Source, zone: str, world: World) -> Iterable[str]:
    """What this stack takes over must not be somebody else's still, or again."""
    if ready := list(stamp_sources.returned(settings, source, world.read)):
        yield (
            f"  - the {' and the '.join(ready)} that {settings.environment} has for itself was returned: "
            f"{settings.source} may have fetched it, and what agents write here from then on would be in no "
            "copy. To serve once more, and be fetched from anew: "
            f"{set_command(settings, 'acknowledged', 'true')}"
        )
    elif not serves(settings, source, zone, world.read):
        yield from _healthy(settings, source, zone, world.ask)
    elif stamp_sources.would_fail_over(settings, source, world.read):
        first, second = source.names.sql, source.names.sql_backup
        yield (
            f"  - the name of {settings.source} leads to {settings.environment}, but SQL is written by "
            f"server {first} again, and a failover by force would lose rows that have not arrived at "
            f"{second}. To stand in once more, as planned where {first} answers: "
            f"{set_command(settings, 'acknowledged', 'true')}"
        )


def _never_served(settings: Settings, source: Source, read: Read) -> Iterable[str]:
    """What was never taken over, or has been returned, is not to be taken over on the way back."""
    if stamp_sources.would_fail_over(settings, source, read):
        first, second = source.names.sql, source.names.sql_backup
        yield (
            f"  - the phase is drained, but SQL is written by server {first}: {settings.environment} has "
            f"nothing of {settings.source} to give back, and a failover by force would lose rows that have "
            f"not arrived at {second}. If this is the way back, SQL is there already: "
            f"{set_command(settings, 'phase', 'returned')}. To stand in for {settings.source}: "
            f"{set_command(settings, 'phase', 'serving')}"
        )


def _not_drained(settings: Settings, world: World) -> Iterable[str]:
    """Agents go after everything else of an update, and what is ready to be fetched says so before."""
    own = _own(settings)
    if own and world.has_agents():
        yield (
            f"  - agents of {settings.environment} still write the {' and the '.join(own)} that it has for "
            f"itself, and what they write after {settings.source} has fetched it would be lost. Let them go "
            f"first: {set_command(settings, 'phase', 'drained')}, pulumi up, then the same with returned"
        )


def serves(settings: Settings, source: Source, zone: str, read: Read) -> bool:
    """Whether the source's name leads to this stamp already: what answers there is then this stamp."""
    names = source.names
    record = relative_name(names.host(zone), zone)
    path = f"resourceGroups/{names.resource_group}/providers/Microsoft.Network/dnsZones/{zone}/A/{record}"
    metadata = ((read(path, _DNS) or {}).get("properties") or {}).get("metadata") or {}
    return bool(metadata.get(SERVED_BY) == settings.environment)


def answer_of(url: str) -> str | None:
    """How a URL answers, tried a few times; None for silence, and for a way in with nothing behind it."""
    for _ in range(_TRIES):
        try:
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - always https
                return f"{url} answers {answer.status}"
        except HTTPError as error:
            # An agent that misses a dependency says 503, and goes on with all that does not need it.
            if error.code < 500 or _BY_AN_AGENT in error.headers:
                return f"{url} answers {error.code}"
        except URLError as error:
            # Whoever shows a certificate is there, whatever it is worth.
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                return f"{url} answers with a certificate that is not trusted"
        except (TimeoutError, OSError):
            continue
    return None


def _misplaced(settings: Settings, source: Source) -> Iterable[str]:
    own, second = settings.location, source.settings.paired_location
    file = f"Pulumi.{settings.source}.yaml"
    wanted = settings.recovery
    if own == source.settings.location:
        yield f"  - both are in {own}, which is lost with either: set azure-native:location to another region"
        return
    if second is None:
        yield (
            f"  - {settings.source} has no second region (agents:paired_location in {file}), so nothing of "
            f"its documents is in {own}. {stamp_sources.NO_WAY}. Once it is back: let {settings.source} have "
            f"copies in {own}"
        )
        return
    if own != second:
        yield (
            f"  - it is in {own}, and the second copies of {settings.source} are in {second} "
            f"(agents:paired_location in {file}): set azure-native:location to {second}, or let "
            f"{settings.source} have copies in {own}"
        )
        return
    for service in source.unpaired():
        if _restores(settings, service):
            continue
        yield (
            f"  - the copy of {service} that {settings.source} uses was restored, and has no second one in "
            f"{own}: set paired in agents:restores of {file} and update {settings.source}"
        )
    if settings.network.allowed_ranges and not settings.network.private:
        yield (
            f"  - {settings.source} lets in agents:network.allowed_ranges and nobody else, so not this "
            "stack's agents: make the network private"
        )
    if wanted.traffic and settings.domain != source.settings.domain:
        theirs = source.settings.domain
        yield f"  - agents:domain is {settings.domain}, and in {file} {theirs}: remove it here"


def _restores(settings: Settings, service: Service) -> bool:
    """Whether the stamp has the service's data for itself, from a backup."""
    how = {"sql": settings.recovery.sql, "cosmos": settings.recovery.cosmos}
    return how[service] != "failover"


def _own(settings: Settings) -> list[Service]:
    return [service for service in SERVICES if _restores(settings, service)]


def _healthy(settings: Settings, source: Source, zone: str, ask: Ask) -> Iterable[str]:
    host = source.names.host(zone)
    urls = [f"https://{host}/api/{agent}/health" for agent in source.settings.agents]
    with ThreadPoolExecutor(max_workers=len(urls)) as pool:
        answers = [one for one in pool.map(ask, urls) if one is not None]
    if answers:
        own = _own(settings)
        parted = f", and each would write a {' and a '.join(own)} of its own from then on" if own else ""
        yield (
            f"  - {settings.source} is up: {'; '.join(answers)}. Two of them would split what is asked and "
            f"what happens{parted}. If it is to be taken over from all the same: "
            f"{set_command(settings, 'acknowledged', 'true')}"
        )

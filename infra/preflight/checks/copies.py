"""What a stamp would be made from: copies of secrets and of the state, and images; there, and how old.

Copies lie in data planes, which answer only to the backup's operators and, where they are private, only in
the environment's network. Who cannot see them is told so, and held up by nothing: `CHECK`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from infra.naming import COPIED_SECRETS, COPIED_STATE, Names, image_repository
from infra.preflight.arm import AskError
from infra.preflight.data import Blob, Image
from infra.preflight.report import Finding, check, missing, ok
from infra.preflight.subject import Subject
from infra.recovery import secret_copies
from infra.recovery.state_copies import StateCopy

_REGISTRIES, _VAULTS = "2023-07-01", "2023-07-01"
_LATE = "docs/recovery.md, section Copies are late"
_SHOWN = 5


def secrets(subject: Subject) -> Iterator[Finding]:
    """Each secret of the source's vault has a copy of the version that it has now."""
    about, stack = "copies: secrets", subject.stack
    without = stack.set("recovery.secrets", "none")
    if stack.settings.recovery.secrets == "none":
        yield ok(about, "not wanted: agents:recovery.secrets is none")
        return
    backup = _backup(subject)
    absent = secret_copies.missing_of(
        backup, lambda path, version: subject.arm.find(f"{subject.subscription}/{path}", version)
    )
    if absent:
        up = f"pulumi up --stack {backup.environment}, while {stack.settings.source} is whole"
        yield missing(about, f"there is no {' and no '.join(absent)}", f"{up}; or without them: {without}")
        return
    vault = _source(subject).vault
    try:
        found = subject.data.blobs(backup.storage, COPIED_SECRETS, f"{vault}/")
    except AskError as error:
        yield _unseen(about, error, _listing(backup.storage, COPIED_SECRETS))
        return
    if not found:
        empty = f"container {COPIED_SECRETS} in account {backup.storage} has none of vault {vault}"
        yield missing(about, empty, f"{_LATE}; or without them: {without}")
        return
    yield _compared(about, vault, found, _versions(subject, vault))


def state(subject: Subject) -> Iterator[Finding]:
    """No stamp needs one; who has lost the source's state with its region does."""
    about, source, backup = "copies: state", subject.stack.settings.source, _backup(subject)
    save = f"uv run python -m infra.recovery.state save --stack {source}"
    try:
        found = subject.data.blobs(backup.storage, COPIED_STATE, f"{source}/")
    except AskError as error:
        yield _unseen(about, error, _listing(backup.storage, COPIED_STATE))
        return
    copies = sorted(copy for blob in found if (copy := StateCopy.parse(blob.name)) is not None)
    if copies:
        yield ok(about, f"{len(copies)} of {source}'s, the newest saved {_ago(copies[-1].time)}")
    else:
        where = f"container {COPIED_STATE} in account {backup.storage}"
        yield check(about, f"{where} has none of {source}'s", save)


def images(subject: Subject) -> Iterator[Finding]:
    """The image of each agent, in the registry that the stamp pulls from.

    https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication
    """
    about, settings = "copies: images", subject.stack.settings
    replica = settings.recovery.images == "replica"
    names = _source(subject) if replica else _backup(subject)
    up = f"pulumi up --stack {names.environment}"
    other = subject.stack.set("recovery.images", "backup" if replica else "replica")
    registry = (
        f"{subject.subscription}/resourceGroups/{names.resource_group}/providers/"
        f"Microsoft.ContainerRegistry/registries/{names.registry}"
    )
    if subject.arm.find(registry, _REGISTRIES) is None:
        absent = f"there is no registry {names.registry} in {names.resource_group}"
        yield missing(about, absent, f"{up}; or from the other one: {other}")
        return
    region = settings.location
    if replica and subject.arm.find(f"{registry}/replications/{region}", _REGISTRIES) is None:
        absent = f"registry {names.registry} has no replica in {region}: its images are lost with its region"
        yield missing(about, absent, f"{up} with agents:registry.sku Premium; or pull from copies: {other}")
        return
    try:
        known = subject.data.repositories(names.registry)
        found = {
            agent: _wanted(subject, subject.data.images(names.registry, image_repository(agent)))
            for agent in settings.agents
            if image_repository(agent) in known
        }
    except AskError as error:
        yield _unseen(about, error, f"az acr repository list --name {names.registry}")
        return
    what = settings.recovery.digest or settings.version
    lacking = [image_repository(agent) for agent in settings.agents if not found.get(agent)]
    if lacking:
        yield missing(about, f"registry {names.registry} has no {what} of {_some(lacking)}", up)
    else:
        pushed = min(one.pushed for each in found.values() for one in each)
        yield ok(about, f"{what} of all {len(found)} in {names.registry}, the oldest of {_ago(pushed)}")


def _compared(about: str, vault: str, found: Iterable[Blob], versions: set[str] | None) -> Finding:
    """`versions`: `<secret>/<version>`; None where the vault cannot be looked into."""
    copied = {blob.name.removeprefix(f"{vault}/") for blob in found}
    newest = _ago(max(blob.written for blob in found))
    if versions is None:
        count = len({name.partition("/")[0] for name in copied})
        return ok(about, f"of {count} secrets, the newest made {newest}; {vault} cannot be compared with")
    lacking = sorted(name.partition("/")[0] for name in versions - copied)
    if lacking:
        text = f"{len(lacking)} of {len(versions)} secrets in {vault} have no copy of what they are now"
        return missing(about, f"{text}: {_some(lacking)}; the newest copy was made {newest}", _LATE)
    return ok(about, f"of all {len(versions)} secrets in {vault}, the newest made {newest}")


def _versions(subject: Subject, vault: str) -> set[str] | None:
    """The newest enabled versions; Resource Manager lists secrets without their values.

    https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/list
    """
    path = f"{subject.subscription}/resourceGroups/{_source(subject).resource_group}/providers"
    try:
        listed = subject.arm.list(f"{path}/Microsoft.KeyVault/vaults/{vault}/secrets", _VAULTS)
    except AskError:
        # The vault may be lost with its region: that is when copies are asked about.
        return None
    enabled = [one["properties"] for one in listed if _enabled(one["properties"])]
    return {str(one["secretUriWithVersion"]).partition("/secrets/")[2] for one in enabled}


def _enabled(properties: dict[str, object]) -> bool:
    attributes = properties.get("attributes")
    return not isinstance(attributes, dict) or attributes.get("enabled") is not False


def _wanted(subject: Subject, listed: Iterable[Image]) -> list[Image]:
    settings = subject.stack.settings
    digest = settings.recovery.digest
    return [one for one in listed if (one.digest == digest if digest else settings.version in one.tags)]


def _source(subject: Subject) -> Names:
    return Names(subject.stack.settings.source or "", subject.stack.settings.suffix)


def _backup(subject: Subject) -> Names:
    return Names(f"{subject.stack.settings.source}-backup", subject.stack.settings.suffix)


def _listing(account: str, container: str) -> str:
    return f"az storage blob list --account-name {account} --container-name {container} --auth-mode login"


def _unseen(about: str, error: AskError, command: str) -> Finding:
    way = "as one of agents:operators, where the environment's own services answer"
    return check(about, f"could not be looked at: {error}", f"{way}: {command}")


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _ago(moment: datetime) -> str:
    """In the unit that says enough: `12 min ago`, `5 h ago`, `9 days ago`."""
    minutes = max(0, int((_now() - moment).total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"


def _now() -> datetime:
    return datetime.now(UTC)

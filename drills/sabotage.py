"""Faults made on purpose after a restore, any of which must turn the drill red."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from drills import in_pod
from drills.drill import Scene
from drills.journal import Sentinel
from drills.watch import Watch

_EVERYWHERE = ("--start-ip-address", "0.0.0.0", "--end-ip-address", "255.255.255.255")  # noqa: S104
_RULE = "sabotage"
_EXPIRES_SECONDS = 30


def lost_sentinel(scene: Scene, due: Sequence[Sentinel]) -> None:
    """A sentinel that was recovered is gone."""
    victim = due[0]
    in_pod.expire(scene.shell, scene.stack.names.namespace, victim)
    gone = lambda: scene.agents.read(victim.agent, victim.id).status_code == 404  # noqa: E731
    with Watch(gone, scene.timeline.now) as watch:
        watch.wait(_EXPIRES_SECONDS)


def missing_role(scene: Scene, _due: Sequence[Sentinel]) -> None:
    """An agent has no right to read the vault any more."""
    names = scene.stack.names
    vault = scene.shell.az("keyvault", "show", "-g", names.resource_group, "-n", names.vault)["id"]
    identity = ("-g", names.resource_group, "-n", names.identity("devops"))
    holder = scene.shell.az("identity", "show", *identity)["principalId"]
    given = ("--role", "Key Vault Secrets User", "--assignee-object-id", holder, "--scope", vault)
    found = scene.shell.az("role", "assignment", "list", *given[:2], "--scope", vault)
    ids = [one["id"] for one in found if one["principalId"] == holder]
    scene.shell.run("az", "role", "assignment", "delete", "--ids", *ids)


def public(scene: Scene, _due: Sequence[Sentinel]) -> None:
    """The SQL server lets everybody in."""
    scene.shell.run("az", "sql", "server", "firewall-rule", "create", *_rule(scene), *_EVERYWHERE)


def undo(scene: Scene) -> None:
    """What `pulumi up` does not take back because it never knew of it."""
    scene.shell.run("az", "sql", "server", "firewall-rule", "delete", *_rule(scene), check=False)


def _rule(scene: Scene) -> tuple[str, ...]:
    names = scene.stack.names
    return ("-g", names.resource_group, "-s", names.sql, "-n", _RULE)


#: Those that every drill has.
FAULTS: MappingProxyType[str, Callable[[Scene, Sequence[Sentinel]], None]] = MappingProxyType(
    {"lost-sentinel": lost_sentinel, "missing-role": missing_role, "public": public}
)

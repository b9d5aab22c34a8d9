"""Faults made on purpose after a restore, any of which must turn the drill red."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from drills import in_pod
from drills.drill import Drill, Scene
from drills.journal import Sentinel
from drills.report import Report
from drills.watch import Watch
from infra.naming import subscription

_EVERYWHERE = ("--start-ip-address", "0.0.0.0", "--end-ip-address", "255.255.255.255")  # noqa: S104
_RULE = "sabotage"
_EXPIRES_SECONDS = 30


def lost_sentinel(scene: Scene, due: Sequence[Sentinel]) -> None:
    """A sentinel that was recovered is gone."""
    victim = due[0]
    in_pod.expire(scene.shell, scene.stack.names.namespace, victim)

    def is_gone() -> bool:
        return scene.agents.read(victim.agent, victim.id).status_code == httpx.codes.NOT_FOUND

    with Watch(is_gone, scene.timeline.now) as watch:
        watch.wait(_EXPIRES_SECONDS)


def lost_message(scene: Scene, _due: Sequence[Sentinel]) -> None:
    """An agent hears of nothing: what others publish meanwhile is delivered to everybody else."""
    names = scene.stack.names
    topic = scene.shell.az("eventgrid", "topic", "show", "-g", names.resource_group, "-n", names.topic)["id"]
    given = ("--name", subscription("notification"), "--source-resource-id", topic)
    scene.shell.run("az", "eventgrid", "event-subscription", "delete", *given)
    scene.incidents(1)


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
    """Take it all back: a rule that Pulumi never knew of, and what it does not know to be gone."""
    scene.shell.run("az", "sql", "server", "firewall-rule", "delete", *_rule(scene), check=False)
    scene.stack.up("--refresh")


def _rule(scene: Scene) -> tuple[str, ...]:
    names = scene.stack.names
    return ("-g", names.resource_group, "-s", names.sql, "-n", _RULE)


@dataclass(frozen=True)
class Fault:
    """`seen_by` is the check that must fail."""

    make: Callable[[Scene, Sequence[Sentinel]], None]
    seen_by: str


#: Those that every drill has.
FAULTS: MappingProxyType[str, Fault] = MappingProxyType(
    {
        "lost-message": Fault(lost_message, "events are published and consumed"),
        "lost-sentinel": Fault(lost_sentinel, "content"),
        "missing-role": Fault(missing_role, "least privilege"),
        "public": Fault(public, "nothing is open that was not"),
    }
)


def unseen(faults: Iterable[str], drill: Drill, report: Report) -> list[str]:
    """Faults that were made, and that no check saw which should have."""
    failing = {check.name for check in report.checks if check.problems}
    seers = {**{name: fault.seen_by for name, fault in FAULTS.items()}, **drill.sabotages}
    return [
        f"{name} was not seen by '{seers[name]}'" for name in sorted(faults) if seers[name] not in failing
    ]

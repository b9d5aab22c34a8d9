"""A stamp of dev in another region, which `make up` has not: dev is widened for as long as a drill lasts.

dev has one region. A copy of the project has settings that give it a second one, and a stack `dev-dr` as
`Pulumi.prod-dr.yaml` is for prod; the checkout stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from drills.project import copied
from drills.shell import CommandError
from drills.stack import NOTHING, Stack
from drills.watch import Watch
from infra.settings.restores import written

_SUFFIX, REGION = "-dr", "northeurope"
#: What dev has more than by itself. Only a registry of this SKU has replicas.
_WIDER = {"agents:paired_location": REGION, "agents:registry": {"sku": "Premium"}}
#: How far back events are kept that may have to be published again.
_A_DAY = timedelta(days=1)
#: Seconds for a region that was lost to be whole again: servers are filled anew.
_WHOLE_SECONDS = 600.0


def stack_name(source: str) -> str:
    return f"{source}{_SUFFIX}"


def write_settings(
    project: Path, source: str, wider: Mapping[str, Any] = NOTHING, own: Mapping[str, Any] = NOTHING
) -> None:
    """The two files of a copy of the project: its `Pulumi.<source>.yaml` widened, and the stamp's.

    `wider` and `own`: what each says beside that.
    """
    file = project / f"Pulumi.{source}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["config"] |= {**_WIDER, **wider}
    stamp: dict[str, Any] = {
        "config": {
            "azure-native:location": REGION,
            "agents:role": "recovery",
            "agents:source": source,
            **own,
        },
        # One passphrase, one salt: as prod and prod-dr have it.
        "encryptionsalt": document["encryptionsalt"],
    }
    for path, content in ((file, document), (project / f"Pulumi.{stack_name(source)}.yaml", stamp)):
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


class Stamp:
    """`source` is the environment's stack in a widened copy of the project, `stack` the stamp's beside it."""

    def __init__(
        self, stack: Stack, wider: Mapping[str, Any] = NOTHING, own: Mapping[str, Any] = NOTHING
    ) -> None:
        """The copy is made anew; `wider` and `own` are settings, as of `write_settings`."""
        self.declared = stack
        shell = copied(stack.shell, stack.folder / "project")
        write_settings(shell.folder, stack.name, wider, own)
        folder = stack.folder / "stamp"
        self.source = Stack(shell, stack.timeline, folder, stack.name)
        self.stack = Stack(shell, stack.timeline, folder, stack_name(stack.name), source=stack.name)

    def enter(self, phase: str) -> None:
        """One step of the way back. Raises CommandError."""
        self.stack.pulumi("config set", "--path", "agents:recovery.phase", phase)
        self.stack.up()

    def take_back(self, now: datetime) -> None:
        """The environment takes its name back, and publishes what the stamp did and nobody acted upon."""
        since = (now - _A_DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.source.pulumi("config set", "agents:republish", since)
        self.source.up("--refresh")

    def fetch(self, as_of: datetime, services: tuple[str, ...]) -> dict[str, Any]:
        """Have the environment restore, with its next update, what the stamp has for itself; the setting."""
        entry = {"as_of": written(as_of), "services": list(services), "stamp": self.stack.name}
        file = self.source.shell.folder / f"Pulumi.{self.source.name}.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        document["config"]["agents:restores"] = [entry]
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return entry

    def remove(self) -> None:
        """As docs/recovery.md says, and what Azure keeps of it. Raises CommandError."""
        with self.stack.timeline.step(f"pulumi destroy -s {self.stack.name}"):
            self.stack.pulumi("config set", "agents:protect", "false")
            self.stack.up()
            self.stack.pulumi("destroy", "--yes", "--skip-preview")
        self.stack.pulumi("stack rm", "--yes")
        self.purge()

    def narrow(self, settings: Path | None = None) -> None:
        """The environment by its own settings again, from the checkout, or by these."""
        self.declared.up("--refresh", settings=settings)
        self.purge()

    def purge(self) -> None:
        """What is soft-deleted would be recovered by the next drill, which is to begin from nothing."""
        shell, names = self.stack.shell, self.stack.names
        for vault in shell.az("keyvault", "list-deleted", "--resource-type", "vault"):
            if vault["name"] == names.vault:
                shell.run("az", "keyvault", "purge", "-n", names.vault)
        mine = {names.openai, names.openai_backup, self.declared.names.openai_backup}
        for account in shell.az("cognitiveservices", "account", "list-deleted"):
            if account["name"] in mine:
                # …/locations/<location>/resourceGroups/<group>/deletedAccounts/<name>
                parts = account["id"].split("/")
                where = ("-l", parts[parts.index("locations") + 1], "-g", parts[-3])
                shell.run("az", "cognitiveservices", "account", "purge", "-n", account["name"], *where)


def is_whole(stack: Stack) -> bool:
    """Whether a region that was lost is back: nodes Ready, and the second copy of SQL caught up."""
    try:
        stack.sign_in()
        stack.shell.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=5s")
        return all(one["replicationState"] == "CATCH_UP" for one in _failover_groups(stack))
    except CommandError:
        return False


def _failover_groups(stack: Stack) -> list[dict[str, Any]]:
    """The environment's one, or none. Raises CommandError where its server does not answer."""
    names = stack.names
    found = stack.shell.az("sql", "failover-group", "list", "-g", names.resource_group, "-s", names.sql)
    return [one for one in found if one["name"] == names.failover_group]


def wait_until_whole(stack: Stack) -> None:
    """Raises TimeoutError."""
    with Watch(lambda: is_whole(stack), stack.timeline.now) as watch:
        watch.wait(_WHOLE_SECONDS)


def clear_away(stack: Stack) -> bool:
    """Undo what a killed drill left of a stamp; whether there was one. Raises CommandError.

    The data first: the environment by its own settings has one server, which must then be the one that is
    written. Regions are up again.
    """
    known = [one["name"] for one in json.loads(stack.shell.run("pulumi", "stack", "ls", "--json").out)]
    if stack_name(stack.name) not in known:
        return False
    stamp = Stamp(stack)
    stamp.stack.pulumi("cancel", "--yes", check=False)
    stamp.source.pulumi("cancel", "--yes", check=False)
    _bring_home(stamp.source)
    try:
        stamp.stack.pulumi("destroy", "--yes", "--skip-preview", "--refresh")
    except CommandError:
        # Half of it was made, and what of it is in the state cannot be asked.
        group = stamp.stack.names.resource_group
        if stack.shell.az("group", "exists", "-n", group):
            stack.shell.run("az", "group", "delete", "-n", group, "--yes", timeout=900)
    stamp.stack.pulumi("stack rm", "--yes", "--force")
    stamp.narrow()
    return True


def _bring_home(source: Stack) -> None:
    """Both services written in the environment's own region, where there are two; by plan, without loss."""
    names, shell = source.names, source.shell
    group = ("-g", names.resource_group)
    if _failover_groups(source):
        wait_until_whole(source)
        where = (*group, "-s", names.sql, "-n", names.failover_group)
        shell.run("az", "sql", "failover-group", "set-primary", *where, timeout=600)
    account = (*group, "-n", names.cosmos)
    regions = [_region(one) for one in shell.az("cosmosdb", "show", *account)["writeLocations"]]
    if regions == [REGION]:
        home = shell.az("group", "show", "-n", names.resource_group)["location"]
        order = (f"{home}=0", f"{REGION}=1")
        shell.run("az", "cosmosdb", "failover-priority-change", *account, "--failover-policies", *order)


def _region(location: dict[str, Any]) -> str:
    """Azure names regions as people do: `West Europe`."""
    return "".join(str(location["locationName"]).lower().split())

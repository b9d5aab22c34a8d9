"""The stack that is drilled on, as its operators have it: settings, `pulumi up`, outputs, kubectl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from drills.shell import Done, Shell
from drills.timeline import Timeline
from infra.naming import Names, workload

_UP_SECONDS = 1200.0
NOTHING: Mapping[str, str] = MappingProxyType({})
#: A refresh cannot ask a cluster that is gone: what ran on it leaves the state instead. Only for when it is.
#: https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/
CLUSTER_IS_GONE: Mapping[str, str] = MappingProxyType({"PULUMI_K8S_DELETE_UNREACHABLE": "true"})


class Stack:
    """`folder` takes settings that a drill changes: nothing is written into the checkout.

    `source`: the environment whose agents it runs, where that is another stack.
    """

    def __init__(
        self, shell: Shell, timeline: Timeline, folder: Path, name: str = "dev", source: str | None = None
    ) -> None:
        self.shell, self.name, self.names = shell, name, Names(name)
        self.timeline, self.folder, self.source = timeline, folder.resolve(), source or name

    def settings(self, **changes: Any) -> Path:
        """The stack's settings file with entries of `agents:` added."""
        document = self._declared(self.name)
        document["config"] |= {f"agents:{key}": value for key, value in changes.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"Pulumi.{self.name}.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return file

    def up(
        self,
        *arguments: str,
        settings: Path | None = None,
        variables: Mapping[str, str] = NOTHING,
        check: bool = True,
    ) -> Done:
        """`pulumi up`, as the documents have it; its confirmation is given beforehand."""
        given = "".join(f"{name}={value} " for name, value in variables.items())
        where = () if settings is None else ("--config-file", str(settings))
        asked = ("up", "--yes", "--skip-preview", *arguments, *where)
        with self.timeline.step(f"{given}pulumi up -s {self.name} {' '.join(arguments)}".strip()):
            return self.pulumi(*asked, variables=variables, check=check)

    def pulumi(
        self, command: str, *arguments: str, variables: Mapping[str, str] = NOTHING, check: bool = True
    ) -> Done:
        asked = ("pulumi", "--non-interactive", *command.split(), "-s", self.name, *arguments)
        shell = replace(self.shell, env={**self.shell.env, **variables})
        return shell.run(*asked, check=check, timeout=_UP_SECONDS)

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.pulumi("stack output", "--json").out)
        return found

    def sign_in(self) -> None:
        """Point kubectl at the stack's cluster, which may be another than a moment ago."""
        where = ("-g", self.names.resource_group, "-n", self.names.cluster)
        self.shell.run("az", "aks", "get-credentials", *where, "--overwrite-existing")
        self.shell.run("kubelogin", "convert-kubeconfig", "-l", "azurecli")

    def agents(self) -> list[str]:
        """The agents that it declares."""
        return list(self._declared(self.source)["config"]["agents:agents"])

    def used(self) -> dict[str, str]:
        """The Cosmos DB account and the SQL database that agents use, by their pods' variables."""
        where = ("-n", self.names.namespace, f"deploy/{workload('notification')}")
        template = json.loads(self.shell.kubectl("get", *where, "-o", "json"))["spec"]["template"]
        (container,) = template["spec"]["containers"]
        given = {one["name"]: one.get("value", "") for one in container["env"]}
        account = given["CosmosDb__Endpoint"].removeprefix("https://").partition(".")[0]
        return {"cosmos": account, "sql": given["Sql__Database"]}

    def _declared(self, name: str) -> dict[str, Any]:
        file = self.shell.folder / f"Pulumi.{name}.yaml"
        found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        return found

"""A stack of a test's own on the running sandbox: dev with one agent, under another environment's names."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.config import TENANT_ID
from sandbox.types.table import by_token
from tests.sandboxed import ROOT, Result, Sandbox

_COLOURS = re.compile(r"\x1b\[[0-9;]*m|<\{%[^%]*%\}>")
#: What Azure itself puts beside what is declared.
_AZURES_OWN = re.compile(r"/providers/microsoft\.sql/servers/[^/]+/databases/master$")


@dataclass(frozen=True)
class Update:
    """How one `pulumi up` ended. `errors`: URN -> what the engine said of it."""

    code: int
    text: str
    errors: dict[str, str]

    def by_type(self) -> dict[str, list[str]]:
        """Messages by Pulumi token."""
        found: dict[str, list[str]] = {}
        for urn, message in self.errors.items():
            found.setdefault(token(urn), []).append(message)
        return found


def token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


class OwnStack:
    """`folder` keeps its settings, so that nothing is written into the project."""

    def __init__(self, sandbox: Sandbox, name: str, folder: Path) -> None:
        # Needed for `--event-log`.
        self._sandbox = Sandbox({**sandbox.env, "PULUMI_DEBUG_COMMANDS": "true"})
        self.name = name
        self._settings = folder / f"Pulumi.{name}.yaml"
        self._events = folder / "events.json"
        document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
        document["config"]["agents:agents"] = {"notification": {}}
        # Only an environment named dev is open to anybody; nobody calls the agent of this one.
        document["config"]["agents:authentication"] = {"tenant": TENANT_ID, "audience": "api://agents"}
        self._settings.write_text(yaml.safe_dump(document))
        # Making a stack writes into the settings beside Pulumi.yaml.
        shutil.copy(ROOT / "Pulumi.yaml", folder)
        sandbox.pulumi("stack", "select", "--create", name, "-C", str(folder))

    @property
    def group(self) -> str:
        return f"rg-agents-{self.name}"

    def pulumi(self, command: str, *arguments: str, **options: Any) -> Result:
        where = ("--stack", self.name, "--config-file", str(self._settings))
        return self._sandbox.pulumi(command, *where, *arguments, **options)

    def up(self, *arguments: str) -> Update:
        self._events.unlink(missing_ok=True)
        done = self.pulumi(
            *("up", "--yes", "--skip-preview", "--event-log", str(self._events), *arguments),
            check=False,
            timeout=1200,
        )
        return Update(done.code, _COLOURS.sub("", done.out + done.err), self._errors())

    def _errors(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self._events.read_text().splitlines() if self._events.exists() else ():
            told = json.loads(line).get("diagnosticEvent") or {}
            if told.get("severity") == "error" and told.get("urn"):
                urn = told["urn"]
                found[urn] = found.get(urn, "") + _COLOURS.sub("", told["message"])
        return found

    def state(self) -> dict[str, Any]:
        exported = self._sandbox.pulumi(
            "stack", "export", "--stack", self.name, "-C", str(self._settings.parent)
        )
        deployment: dict[str, Any] = exported.json()["deployment"]
        return deployment

    def check_whole(self) -> None:
        """Nothing is pending, doubled, left over, changed, or in Azure without being in the state."""
        state = self.state()
        resources = state["resources"]
        assert not state.get("pending_operations"), state["pending_operations"]
        doubled = [urn for urn, count in Counter(each["urn"] for each in resources).items() if count > 1]
        assert not doubled
        known = {each["id"].lower() for each in resources if by_token(each["type"])}
        listed = {each["id"].lower() for each in self._sandbox.az("resource", "list", "-g", self.group)}
        assert listed, "Azure lists nothing in the group"
        assert not {each for each in listed - known if not _AZURES_OWN.search(each)}
        self.pulumi("preview", "--expect-no-changes", "--refresh", timeout=900)

    def remove(self) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview", timeout=1200)
        self._sandbox.pulumi("stack", "rm", self.name, "--yes", "-C", str(self._settings.parent))

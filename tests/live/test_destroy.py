"""`pulumi destroy` leaves nothing, and `pulumi up` works again although names are soft-deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.config import TENANT_ID, Config
from sandbox.host import netns
from sandbox.host.hosts import HostNames
from tests.sandboxed import ROOT, Result, Sandbox, sandbox_command

# Two bring-ups of a second environment and its cluster: minutes.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

_STACK = "tmp"
_GROUP, _VAULT, _ACCOUNT = "rg-agents-tmp", "kv-agents-tmp", "oai-agents-tmp"

#: Folders of the state in which each resource has its own (cosmos aside: its backup outlives an account).
_DATA = ("aks", "registries")


class _Stack:
    """A second environment beside dev, from a configuration file of its own."""

    def __init__(self, sandbox: Sandbox, config: Path) -> None:
        self.sandbox = sandbox
        self._config = config

    def pulumi(self, command: str, *arguments: str, **options: Any) -> Result:
        return self.sandbox.pulumi(
            command, "--stack", _STACK, "--config-file", str(self._config), *arguments, **options
        )

    def remove(self) -> None:
        """Also what an interrupted run left; names become free."""
        stacks = self.sandbox.pulumi("stack", "ls", "--json").json()
        found = next((stack for stack in stacks if stack["name"] == _STACK), None)
        if found is not None:
            if found["resourceCount"]:
                self.sandbox.pulumi("cancel", "--stack", _STACK, "--yes", check=False)
                self.pulumi("destroy", "--yes", "--skip-preview", "--refresh", timeout=600)
            self.sandbox.pulumi("stack", "rm", _STACK, "--yes", "--preserve-config")
        # `pulumi stack init` writes the salt of its secrets into the project.
        (ROOT / f"Pulumi.{_STACK}.yaml").unlink(missing_ok=True)
        if _VAULT in self.deleted("keyvault"):
            self.sandbox.az("keyvault", "purge", "--name", _VAULT)
        if _ACCOUNT in self.deleted("cognitiveservices", "account"):
            where = ("--resource-group", _GROUP, "--location", "westeurope")
            self.sandbox.az("cognitiveservices", "account", "purge", "--name", _ACCOUNT, *where)

    def deleted(self, *kind: str) -> set[str]:
        return {found["name"] for found in self.sandbox.az(*kind, "list-deleted")}


@pytest.fixture
def stack(bare_sandbox: Sandbox, tmp_path: Path) -> Iterator[_Stack]:
    config = tmp_path / "Pulumi.tmp.yaml"
    document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    del document["encryptionsalt"]
    # Only an environment named dev is open to anybody; nobody calls the agents of this one.
    document["config"]["agents:authentication"] = {"tenant": TENANT_ID, "audience": "api://agents"}
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    stack = _Stack(bare_sandbox, config)
    stack.remove()
    yield stack
    stack.remove()


def _traces(sandbox: Sandbox) -> dict[str, set[str]]:
    """What a cluster and its neighbours leave on this machine and in the cloud, unless it is cleared away."""
    config = Config()
    status = sandbox_command("status", "--json")
    data = [path for kind in _DATA for path in (config.state / kind).glob("*")]
    return {
        "programs": {part["name"] for part in Result(0, status, "").json()["parts"]},
        "namespaces": {name for name in netns.names() if name.startswith(config.netns)},
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{config.cgroup}/**/")},
        "host names": set(HostNames(config).published()),
        "data": {str(path) for path in data},
        "groups": {group["name"] for group in sandbox.az("group", "list")},
        "resources": {resource["id"] for resource in sandbox.az("resource", "list")},
    }


def test_destroy_leaves_nothing_and_up_works_again(stack: _Stack) -> None:
    before = _traces(stack.sandbox)
    stack.sandbox.pulumi("stack", "init", _STACK, "--no-select")
    stack.pulumi("up", "--yes", "--skip-preview", timeout=600)
    up = _traces(stack.sandbox)
    unseen = [kind for kind in before if not before[kind] < up[kind]]
    assert unseen == [], f"what `up` does not leave tests nothing: {up}"

    stack.pulumi("destroy", "--yes", "--skip-preview", timeout=600)
    assert _traces(stack.sandbox) == before
    assert _VAULT in stack.deleted("keyvault")
    assert _ACCOUNT in stack.deleted("cognitiveservices", "account")

    stack.pulumi("up", "--yes", "--skip-preview", timeout=600)
    assert {_VAULT, _ACCOUNT} <= {found["name"] for found in stack.sandbox.az("resource", "list")}
    assert _VAULT not in stack.deleted("keyvault")
    assert _ACCOUNT not in stack.deleted("cognitiveservices", "account")
    stack.pulumi("destroy", "--yes", "--skip-preview", timeout=600)
    assert _traces(stack.sandbox) == before

"""Secrets stay where they belong: canaries are seeded, and all that people can read is searched."""

from __future__ import annotations

import gzip
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.config import Config
from tests.sandboxed import ROOT, Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

_VAULT = "kv-agents-dev"
_SECRETS = ("pagerduty-url", "teams-url")
_UP = ("up", "--yes", "--skip-preview", "--stack", "dev")
#: How the registry's layers, and what is rotated, begin.
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Seeded:
    """dev with two secret settings: `printed` is all that the commands said, `canaries` the secret parts."""

    settings: Path
    canaries: dict[str, str]
    printed: str


@pytest.fixture(scope="module")
def seeded(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    _forget(sandbox)
    settings = Path(shutil.copy(ROOT / "Pulumi.dev.yaml", tmp_path_factory.mktemp("settings")))
    canaries = {name: f"canary{secrets.token_hex(12)}" for name in ("pagerduty", "teams")}
    where = ("--stack", "dev", "--config-file", str(settings))
    for name, canary in canaries.items():
        url = f"https://{name}.azure.test/{canary}"
        sandbox.pulumi("config", "set", "--secret", f"agents:alerts.{name}", "--path", url, *where)
    commands = [
        (*command, *where)
        for command in (
            ("preview", "--diff"),
            ("preview", "--json"),
            _UP[:3],
            ("preview", "--diff", "--refresh"),
        )
    ]
    commands += [("stack", what, "--stack", "dev") for what in ("output", "export", "history")]
    said = [sandbox.pulumi(*command, timeout=600) for command in commands]
    yield Seeded(settings, canaries, "\n".join(one.out + one.err for one in said))
    sandbox.pulumi(*_UP, timeout=600)
    _forget(sandbox)


def _forget(sandbox: Sandbox) -> None:
    """Secrets outlive their settings; also what an interrupted run left."""
    for command, done in (("list", "delete"), ("list-deleted", "purge")):
        for secret in sandbox.az("keyvault", "secret", command, "--vault-name", _VAULT):
            if secret["name"] in _SECRETS:
                which = ("--vault-name", _VAULT, "--name", secret["name"])
                sandbox.az("keyvault", "secret", done, *which)


def test_the_vault_and_the_action_group_have_them(sandbox: Sandbox, seeded: Seeded) -> None:
    """What is searched for is really there; otherwise none of the other tests could fail."""
    for name, canary in seeded.canaries.items():
        secret = sandbox.az("keyvault", "secret", "show", "--vault-name", _VAULT, "--name", f"{name}-url")
        assert canary in secret["value"]
    groups = sandbox.run("az", "monitor", "action-group", "list", "-g", "rg-agents-dev", "-o", "json").out
    assert all(canary in groups for canary in seeded.canaries.values())


def test_no_command_prints_them(seeded: Seeded) -> None:
    assert "[secret]" in seeded.printed
    assert not [name for name, canary in seeded.canaries.items() if canary in seeded.printed]


@pytest.mark.parametrize("folder", ["pulumi", "logs", "builds", "registries", "user"])
def test_nothing_kept_by_pulumi_or_the_sandbox_holds_them(seeded: Seeded, folder: str) -> None:
    """State and its backups, every log, what images were built from, the registry's layers, az's own logs."""
    files = [path for path in (Config().state / folder).rglob("*") if path.is_file()]
    assert files, f"there is nothing in {folder} to search"
    assert _holding(files, seeded) == {}


def test_no_manifest_holds_them(sandbox: Sandbox, seeded: Seeded) -> None:
    kinds = sandbox.kubectl("api-resources", "--verbs=list", "-o", "name").split()
    manifests = sandbox.kubectl(
        "get", ",".join(kinds), "-A", "-o", "yaml", "--ignore-not-found", "--show-managed-fields"
    )
    assert "kind: Deployment" in manifests
    assert not [name for name, canary in seeded.canaries.items() if canary in manifests]


def test_the_settings_and_the_checkout_hold_them_encrypted(seeded: Seeded) -> None:
    assert seeded.settings.read_text().count("secure: v1:") == len(seeded.canaries)
    tracked = [
        path for name in ("app", "infra", "prompts") for path in (ROOT / name).rglob("*") if path.is_file()
    ]
    assert _holding([seeded.settings, *tracked], seeded) == {}


def test_a_setting_that_comes_back_takes_its_secret_over(sandbox: Sandbox, seeded: Seeded) -> None:
    """As docs/changes.md says. The secret stayed in the vault, and the message says what to do about it."""
    again = (*_UP, "--config-file", str(seeded.settings))
    sandbox.pulumi(*_UP, timeout=600)
    refused = sandbox.pulumi(*again, check=False, timeout=600)
    assert refused.code != 0
    assert "take it over with `pulumi import`" in refused.out + refused.err
    vault = sandbox.az("keyvault", "show", "--name", _VAULT)["id"]
    parent = "vault=urn:pulumi:dev::agents::agents:azure:Vault::vault"
    for name in _SECRETS:
        what = ("azure-native:keyvault:Secret", name, f"{vault}/secrets/{name}", "--parent", parent)
        sandbox.pulumi("import", *what, "--generate-code=false", "--protect=false", "--yes", "--stack", "dev")
    sandbox.pulumi(*again, timeout=600)
    secret = sandbox.az("keyvault", "secret", "show", "--vault-name", _VAULT, "--name", "teams-url")
    assert secret["value"].endswith(seeded.canaries["teams"])


@pytest.mark.parametrize("packed", [False, True])
def test_a_leak_would_be_found(seeded: Seeded, tmp_path: Path, packed: bool) -> None:
    content = b"url: " + seeded.canaries["teams"].encode() + b"\n"
    (leak := tmp_path / "leak").write_bytes(gzip.compress(content) if packed else content)
    (clean := tmp_path / "clean").write_bytes(b"url: [secret]\n")
    assert _holding([leak, clean], seeded) == {str(leak): "teams"}


def _holding(files: list[Path], seeded: Seeded) -> dict[str, str]:
    """File -> canary that stands in it as it is."""
    found = {}
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # replaced meanwhile
            continue
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        for name, canary in seeded.canaries.items():
            if canary.encode() in content:
                found[str(path)] = name
    return found

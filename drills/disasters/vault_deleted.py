"""The vault is deleted; its name is taken and its secrets are kept, so it is recovered."""

from __future__ import annotations

import time
import uuid

from drills import bounds
from drills.drill import Drill, Outcome, Scene
from drills.report import Check
from drills.shell import CommandError, Shell
from drills.stack import Stack
from drills.watch import Watch

_LOAD_SECONDS = 5
_SETTLE_SECONDS = 60
_PREFIX = "drill-"


class VaultDeleted(Drill):
    name = "vault-deleted"
    broken = "The vault is deleted under load, with a secret of two versions in it."
    restored_by = "`pulumi up -s dev --refresh`, twice: a recovered vault takes nothing else that is asked"
    rto = 120.0
    azure = (bounds.VAULT,)

    def play(self, scene: Scene) -> Outcome:
        now, vault, shell = scene.timeline.now, scene.stack.names.vault, scene.shell
        secret = f"{_PREFIX}{uuid.uuid4().hex[:8]}"
        for value in ("first", "second"):
            _secret(shell, vault, "set", "-n", secret, "--value", f"{value} {uuid.uuid4()}")
        written = _versions(shell, vault, secret)
        with scene.writers:
            time.sleep(_LOAD_SECONDS)
            failed = now()
            with scene.timeline.step(f"az keyvault delete -n {vault}"):
                shell.run("az", "keyvault", "delete", "-n", vault)
            if _has(shell, vault, secret):
                raise RuntimeError("the secret is read although its vault is gone: nothing was broken")
            with Watch(lambda: _has(shell, vault, secret), now) as watch:
                scene.stack.up("--refresh")
                operational = watch.wait(_SETTLE_SECONDS)
            scene.stack.up()
        found = _versions(shell, vault, secret)
        problems = [] if found == written else [f"versions of {secret} were {written} and are {found}"]
        if not written:
            problems.append("no secret was written: nothing was tested")
        check = Check(name="secrets", looked_at=f"{len(written)} versions", problems=problems)
        return Outcome(failed, operational, checks=(check,))

    def clean(self, stack: Stack) -> None:
        vault, shell = stack.names.vault, stack.shell
        for one in shell.az("keyvault", "secret", "list", "--vault-name", vault):
            if one["name"].startswith(_PREFIX):
                _secret(shell, vault, "delete", "-n", one["name"])
                _secret(shell, vault, "purge", "-n", one["name"])


def _secret(shell: Shell, vault: str, *command: str) -> None:
    shell.run("az", "keyvault", "secret", *command, "--vault-name", vault, "--output", "none")


def _versions(shell: Shell, vault: str, secret: str) -> dict[str, str]:
    """Values by version."""
    where = ("--vault-name", vault, "-n", secret)
    listed = shell.az("keyvault", "secret", "list-versions", *where)
    shown = [shell.az("keyvault", "secret", "show", "--id", one["id"]) for one in listed]
    return {one["id"].rpartition("/")[2]: one["value"] for one in shown}


def _has(shell: Shell, vault: str, secret: str) -> bool:
    try:
        shell.az("keyvault", "secret", "show", "--vault-name", vault, "-n", secret, timeout=20)
    except CommandError:
        return False
    return True

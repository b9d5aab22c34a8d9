"""Bringing the source's secrets into the stamp's vault: a Job that has to succeed before the agents start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.identity import Identity
from infra.workload.jobs import Run, Setting, declare
from infra.workload.policies import Reach
from infra.workload.quota import RESTORATION

NAME = "secret-restoration"


@dataclass(frozen=True)
class RestoreSecrets:
    """Of which vault, from which account's copies, with which key; `kept` are secrets that the stack sets.

    `ready`: the identity's roles and the ways to the copies.
    """

    identity: Identity
    source_vault: str
    copies: str
    key: str
    kept: Sequence[str]
    ready: Sequence[pulumi.Resource]


@dataclass(frozen=True)
class SecretRestorationArgs:
    """`vault_uri` is the vault to fill. `ready`: what must exist before, that vault among it."""

    namespace: str
    image: pulumi.Input[str]
    version: str
    oidc_issuer: pulumi.Input[str]
    wanted: RestoreSecrets
    vault_uri: pulumi.Input[str]
    reach: Reach
    ready: Sequence[pulumi.Resource]


class SecretRestoration(pulumi.ComponentResource):
    """Runs once for each image and what it is told; a secret that is there already is not written again."""

    def __init__(
        self, name: str, args: SecretRestorationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("agents:workload:SecretRestoration", name, None, opts)
        wanted = args.wanted
        run = Run(
            name=NAME,
            image=args.image,
            version=args.version,
            module="app.backup.restore",
            environment={
                "Source__VaultUri": wanted.source_vault,
                "Copies__Endpoint": wanted.copies,
                "Copies__Key": wanted.key,
                "Target__VaultUri": args.vault_uri,
                "Target__Kept": json.dumps(sorted(wanted.kept)),
            },
            size=RESTORATION,
        )
        at = Setting(
            namespace=args.namespace,
            identity=wanted.identity,
            oidc_issuer=args.oidc_issuer,
            ways=[args.reach.to_identity(), args.reach.to_services()],
            ready=[*wanted.ready, *args.ready],
        )
        declare(name, run, at, self)
        self.register_outputs({})

"""Bringing the source's secrets into the stamp's vault: a Job that has to succeed before the agents start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.azure.identity import Identity
from infra.workload import pods
from infra.workload.jobs import Run
from infra.workload.policies import Pods, Reach, allow_out
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
        wanted, child = args.wanted, pulumi.ResourceOptions(parent=self)
        labels = {"app.kubernetes.io/name": NAME, **pods.PART_OF}
        trust = wanted.identity.federate(args.oidc_issuer, args.namespace, NAME)
        account = k8s.core.v1.ServiceAccount(
            NAME,
            metadata=ObjectMetaArgs(
                name=NAME,
                namespace=args.namespace,
                labels=labels,
                annotations={"azure.workload.identity/client-id": wanted.identity.client_id},
            ),
            automount_service_account_token=False,
            opts=child,
        )
        ways = [
            allow_out(Pods(NAME, args.namespace, labels), way, child)
            for way in (args.reach.to_identity(), args.reach.to_services())
        ]
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
            labels=labels,
        )
        k8s.batch.v1.Job(
            name,
            metadata=ObjectMetaArgs(name=run.job_name(), namespace=args.namespace, labels=labels),
            spec=run.spec(),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[account, trust, *ways, *wanted.ready, *args.ready]
            ),
        )
        self.register_outputs({})

"""The backup's worker: copies secrets and dead letters out of the environment, and reads the copies back.

It runs on the environment's cluster because a private vault answers only there, in a namespace of the backup
stack: its image is the agents', its identity and its roles are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ProbeArgs,
    TCPSocketActionArgs,
    TopologySpreadConstraintArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from infra.azure.identity import Identity
from infra.workload import pods, priorities, service_accounts
from infra.workload.namespace import Bounds, closed
from infra.workload.policies import PROMETHEUS, Pods, Reach, allow_in, allow_out
from infra.workload.quota import BACKUP, Quota
from infra.workload.scraping import BACKUP_WORKER

NAME, PORT = BACKUP_WORKER, 9090
#: What it is in the middle of is a request of seconds; a copy that was not finished is not there.
_GRACE_SECONDS = 30


@dataclass(frozen=True)
class Originals:
    """What is copied, and what Azure keeps backups of itself, which is asked how old they are.

    Of the latter the account, and the server's database, that agents use now: after a restore, the copies.
    """

    vault_uri: str
    dead_letters: str
    cosmos_id: pulumi.Input[str]
    sql_id: pulumi.Input[str]
    sql_database: str
    location: str


@dataclass(frozen=True)
class BackupWorkerArgs:
    """`copies` is the blob endpoint of the copies' account, `key_uri` the wrapping key.

    `rights`: the identity's roles, before which it does not start.
    """

    namespace: str
    image: pulumi.Input[str]
    version: str
    identity: Identity
    oidc_issuer: pulumi.Input[str]
    originals: Originals
    copies: pulumi.Input[str]
    key_uri: pulumi.Input[str]
    resource_manager: str
    interval_seconds: int
    reach: Reach
    rights: Sequence[pulumi.Resource]


class BackupWorker(pulumi.ComponentResource):
    """One replica: a second one would copy the same, and its predecessor is gone before it starts."""

    def __init__(self, name: str, args: BackupWorkerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:BackupWorker", name, None, opts)
        self._args = args
        # Not `part-of: agents`: the alerts on agents would take it for one.
        self._labels = {"app.kubernetes.io/name": NAME}
        inside = closed("backup-namespace", Bounds(args.namespace, Quota.of([(BACKUP, 2)]), [BACKUP]), self)
        mine = Pods(NAME, args.namespace, self._labels)
        account = service_accounts.declare(mine, args.identity, args.oidc_issuer, inside)
        ways = [
            *(allow_out(mine, way, inside) for way in (args.reach.to_identity(), args.reach.to_services())),
            allow_in(mine, PROMETHEUS, PORT, inside),
        ]
        k8s.apps.v1.Deployment(
            NAME,
            metadata=ObjectMetaArgs(name=NAME, namespace=args.namespace, labels=self._labels),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=1,
                selector=LabelSelectorArgs(match_labels=self._labels),
                strategy=k8s.apps.v1.DeploymentStrategyArgs(type="Recreate"),
                template=self._pod(),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*account, *ways, *args.rights]),
        )
        self.register_outputs({})

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        args, originals = self._args, self._args.originals
        return {
            "Source__VaultUri": originals.vault_uri,
            "Source__DeadLetters": originals.dead_letters,
            "Source__CosmosId": originals.cosmos_id,
            "Source__SqlId": originals.sql_id,
            "Source__SqlDatabase": originals.sql_database,
            "Source__Location": originals.location,
            "Copies__Endpoint": args.copies,
            "Copies__Key": args.key_uri,
            "ResourceManager__Endpoint": args.resource_manager,
            "INTERVAL_SECONDS": str(args.interval_seconds),
            "PORT": str(PORT),
        }

    def _pod(self) -> PodTemplateSpecArgs:
        alive = TCPSocketActionArgs(port="http")
        return PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(
                labels={
                    **self._labels,
                    **pods.WORKLOAD_IDENTITY,
                    "app.kubernetes.io/version": self._args.version,
                }
            ),
            spec=PodSpecArgs(
                service_account_name=NAME,
                automount_service_account_token=False,
                enable_service_links=False,
                priority_class_name=priorities.CRITICAL,
                termination_grace_period_seconds=_GRACE_SECONDS,
                security_context=pods.pod_security_context(),
                topology_spread_constraints=[
                    TopologySpreadConstraintArgs(
                        topology_key="topology.kubernetes.io/zone",
                        max_skew=1,
                        when_unsatisfiable="ScheduleAnyway",
                        label_selector=LabelSelectorArgs(match_labels=self._labels),
                    )
                ],
                containers=[
                    ContainerArgs(
                        name=NAME,
                        image=self._args.image,
                        command=["python", "-m", "app.backup"],
                        ports=[ContainerPortArgs(name="http", container_port=PORT)],
                        env=pods.variables(self._environment()),
                        resources=pods.resources(BACKUP),
                        startup_probe=ProbeArgs(tcp_socket=alive, period_seconds=1, failure_threshold=60),
                        liveness_probe=ProbeArgs(tcp_socket=alive, period_seconds=10),
                        readiness_probe=ProbeArgs(tcp_socket=alive, period_seconds=10),
                        security_context=pods.security_context(),
                        volume_mounts=[pods.SCRATCH_MOUNT],
                    )
                ],
                volumes=[pods.SCRATCH],
            ),
        )

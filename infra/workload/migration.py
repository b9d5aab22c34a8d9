"""The SQL migration: a Job that has to succeed before the agents that need its schema roll."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.azure.identity import Federated
from infra.workload import pods
from infra.workload.dependencies import SqlDatabase
from infra.workload.jobs import Run
from infra.workload.policies import Pods, Reach, allow_out
from infra.workload.quota import MIGRATION

NAME = "migration"


@dataclass(frozen=True)
class MigrationArgs:
    """`identity_name` is the identity's name; `users` are the agents' identities: names and client ids.

    `kept` names users of another stack that stay in the database. `ready`: what must exist before, the
    database and the identity's right to change it among it.
    """

    namespace: str
    image: pulumi.Input[str]
    version: str
    identity: Federated
    identity_name: str
    oidc_issuer: pulumi.Input[str]
    sql: SqlDatabase
    users: Mapping[str, pulumi.Input[str]]
    reach: Reach
    ready: Sequence[pulumi.Resource]
    kept: Sequence[str] = ()


class Migration(pulumi.ComponentResource):
    """Runs anew under another name whenever the image, the database or the users change, else never."""

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Migration", name, None, opts)
        self._args = args
        labels = {"app.kubernetes.io/name": NAME, **pods.PART_OF}
        child = pulumi.ResourceOptions(parent=self)
        trust = args.identity.federate(args.oidc_issuer, args.namespace, NAME)
        account = k8s.core.v1.ServiceAccount(
            NAME,
            metadata=ObjectMetaArgs(
                name=NAME,
                namespace=args.namespace,
                labels=labels,
                annotations={"azure.workload.identity/client-id": args.identity.client_id},
            ),
            automount_service_account_token=False,
            opts=child,
        )
        ways = [
            allow_out(Pods(NAME, args.namespace, labels), way, child)
            for way in (args.reach.to_identity(), args.reach.to_sql(args.sql.dialect))
        ]
        run = Run(
            name=NAME,
            image=args.image,
            version=args.version,
            module="app.migrate",
            environment=self._environment(),
            size=MIGRATION,
            labels=labels,
        )
        self.job = k8s.batch.v1.Job(
            name,
            metadata=ObjectMetaArgs(name=run.job_name(), namespace=args.namespace, labels=labels),
            spec=run.spec(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, trust, *ways, *args.ready]),
        )
        self.register_outputs({})

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        args = self._args
        kept = {"Sql__Kept": json.dumps(list(args.kept))} if args.kept else {}
        return {
            **args.sql.environment(args.identity_name),
            "Sql__Users": pulumi.Output.json_dumps(dict(args.users)),
            **kept,
        }

"""The SQL migration: a Job that has to succeed before the agents that need its schema roll."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.azure.identity import Federated
from infra.workload.dependencies import SqlDatabase
from infra.workload.jobs import Run, Setting, declare
from infra.workload.policies import Reach
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
        run = Run(
            name=NAME,
            image=args.image,
            version=args.version,
            module="app.migrate",
            environment=self._environment(),
            size=MIGRATION,
        )
        at = Setting(
            namespace=args.namespace,
            identity=args.identity,
            oidc_issuer=args.oidc_issuer,
            ways=[args.reach.to_identity(), args.reach.to_sql(args.sql.dialect)],
            ready=args.ready,
        )
        self.job = declare(name, run, at, self)
        self.register_outputs({})

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        args = self._args
        kept = {"Sql__Kept": json.dumps(list(args.kept))} if args.kept else {}
        return {
            **args.sql.environment(args.identity_name),
            "Sql__Users": pulumi.Output.json_dumps(dict(args.users)),
            **kept,
        }

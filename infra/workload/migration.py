"""The SQL migration: a Job that has to succeed before the agents that need its schema roll."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.batch.v1 import (
    JobSpecArgs,
    PodFailurePolicyArgs,
    PodFailurePolicyOnExitCodesRequirementArgs,
    PodFailurePolicyOnPodConditionsPatternArgs,
    PodFailurePolicyRuleArgs,
)
from pulumi_kubernetes.core.v1 import ContainerArgs, PodSpecArgs, PodTemplateSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.azure.identity import Identity
from infra.workload import pods, priorities
from infra.workload.dependencies import SqlDatabase
from infra.workload.policies import Pods, Reach, allow_out
from infra.workload.quota import MIGRATION

NAME = "migration"
# Below the ten minutes for which a Job is waited for; a paused serverless database takes one to wake up.
_DEADLINE_SECONDS = 540
_RETRIES = 5
# What app.migrate exits with when its settings are wrong: no retry would mend that.
_MISCONFIGURED = 2


@dataclass(frozen=True)
class MigrationArgs:
    """`identity_name` is the identity's name; `users` are the agents' identities: names and client ids.

    `ready`: what must exist before, the database and the identity's right to change it among it.
    """

    namespace: str
    image: pulumi.Input[str]
    version: str
    identity: Identity
    identity_name: str
    oidc_issuer: pulumi.Input[str]
    sql: SqlDatabase
    users: Mapping[str, pulumi.Input[str]]
    reach: Reach
    ready: Sequence[pulumi.Resource]


class Migration(pulumi.ComponentResource):
    """Runs anew under another name whenever the image, the database or the users change, else never.

    A Job has no time to live: it would vanish behind Pulumi's back, and every look for drift would find it.
    The one before is removed once its successor has succeeded.
    """

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Migration", name, None, opts)
        self._args = args
        self._labels = {"app.kubernetes.io/name": NAME, **pods.PART_OF}
        child = pulumi.ResourceOptions(parent=self)
        trust = args.identity.federate(args.oidc_issuer, args.namespace, NAME)
        account = k8s.core.v1.ServiceAccount(
            NAME,
            metadata=ObjectMetaArgs(
                name=NAME,
                namespace=args.namespace,
                labels=self._labels,
                annotations={"azure.workload.identity/client-id": args.identity.client_id},
            ),
            automount_service_account_token=False,
            opts=child,
        )
        ways = [
            allow_out(Pods(NAME, args.namespace, self._labels), way, child)
            for way in (args.reach.to_identity(), args.reach.to_sql(args.sql.dialect))
        ]
        self.job = k8s.batch.v1.Job(
            name,
            metadata=ObjectMetaArgs(name=self._job_name(), namespace=args.namespace, labels=self._labels),
            spec=self._spec(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, trust, *ways, *args.ready]),
        )
        self.register_outputs({})

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        args = self._args
        return {
            **args.sql.environment(args.identity_name),
            "Sql__Users": pulumi.Output.json_dumps(dict(args.users)),
        }

    def _job_name(self) -> pulumi.Output[str]:
        """The version for people, a digest of the rest; at most 63 characters, as a label has."""
        version = self._args.version.replace(".", "-").lower()
        runs = pulumi.Output.json_dumps([self._args.image, self._environment()])
        return runs.apply(
            lambda text: f"{NAME}-{version:.40}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        )

    def _spec(self) -> JobSpecArgs:
        return JobSpecArgs(
            backoff_limit=_RETRIES,
            active_deadline_seconds=_DEADLINE_SECONDS,
            pod_failure_policy=PodFailurePolicyArgs(
                rules=[
                    PodFailurePolicyRuleArgs(
                        action="FailJob",
                        on_exit_codes=PodFailurePolicyOnExitCodesRequirementArgs(
                            operator="In", values=[_MISCONFIGURED]
                        ),
                    ),
                    PodFailurePolicyRuleArgs(
                        action="Ignore",
                        on_pod_conditions=[
                            PodFailurePolicyOnPodConditionsPatternArgs(type="DisruptionTarget", status="True")
                        ],
                    ),
                ]
            ),
            template=PodTemplateSpecArgs(
                metadata=ObjectMetaArgs(labels={**self._labels, **pods.WORKLOAD_IDENTITY}),
                spec=PodSpecArgs(
                    service_account_name=NAME,
                    automount_service_account_token=False,
                    enable_service_links=False,
                    priority_class_name=priorities.CRITICAL,
                    restart_policy="Never",
                    security_context=pods.pod_security_context(),
                    containers=[
                        ContainerArgs(
                            name=NAME,
                            image=self._args.image,
                            command=["python", "-m", "app.migrate"],
                            env=pods.variables(self._environment()),
                            resources=pods.resources(MIGRATION),
                            security_context=pods.security_context(),
                            volume_mounts=[pods.SCRATCH_MOUNT],
                        )
                    ],
                    volumes=[pods.SCRATCH],
                ),
            ),
        )

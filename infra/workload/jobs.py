"""What a Job of the application's image looks like: it runs once for what it is told, and gives up in time.

A Job has no time to live: it would vanish behind Pulumi's back, and every look for drift would find it. The
one before is removed once its successor has succeeded. One that failed is made again by the next update.
"""

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

from infra.azure.identity import Federated
from infra.workload import pods, priorities, service_accounts
from infra.workload.policies import Pods, Way, allow_out
from infra.workload.quota import Size

# Below the ten minutes for which a Job is waited for; a paused serverless database takes one to wake up.
_DEADLINE_SECONDS = 540
_RETRIES = 5
# What a command of the application exits with when its settings are wrong: no retry would mend that.
_MISCONFIGURED = 2
# What failed once has failed for good: without this, every update would wait for the same failure.
_TRIED_AGAIN = {"pulumi.com/replaceUnready": "true"}


@dataclass(frozen=True)
class Setting:
    """Where a Job runs and as whom; `ways` are what it may reach, `ready` what must be there before."""

    namespace: str
    identity: Federated
    oidc_issuer: pulumi.Input[str]
    ways: Sequence[Way]
    ready: Sequence[pulumi.Resource]


@dataclass(frozen=True)
class Run:
    """A module of the application. `name` is also the service account's and the container's."""

    name: str
    image: pulumi.Input[str]
    version: str
    module: str
    environment: Mapping[str, pulumi.Input[str]]
    size: Size
    arguments: Sequence[str] = ()

    @property
    def labels(self) -> dict[str, str]:
        return {"app.kubernetes.io/name": self.name, **pods.PART_OF}

    def job_name(self) -> pulumi.Output[str]:
        """The version for people, a digest of the rest; at most 63 characters, as a label has."""
        version = self.version.replace(".", "-").lower()
        runs = pulumi.Output.json_dumps([self.image, self.environment, *self.arguments])
        return runs.apply(
            lambda text: f"{self.name}-{version:.40}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        )

    def spec(self) -> JobSpecArgs:
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
                metadata=ObjectMetaArgs(labels={**self.labels, **pods.WORKLOAD_IDENTITY}),
                spec=PodSpecArgs(
                    service_account_name=self.name,
                    automount_service_account_token=False,
                    enable_service_links=False,
                    priority_class_name=priorities.CRITICAL,
                    restart_policy="Never",
                    security_context=pods.pod_security_context(),
                    containers=[
                        ContainerArgs(
                            name=self.name,
                            image=self.image,
                            command=["python", "-m", self.module, *self.arguments],
                            env=pods.variables(self.environment),
                            resources=pods.resources(self.size),
                            security_context=pods.security_context(),
                            volume_mounts=[pods.SCRATCH_MOUNT],
                        )
                    ],
                    volumes=[pods.SCRATCH],
                ),
            ),
        )


def declare(name: str, run: Run, at: Setting, parent: pulumi.Resource) -> k8s.batch.v1.Job:
    """The Job with its service account, which the identity trusts, and its ways out."""
    child, who = pulumi.ResourceOptions(parent=parent), Pods(run.name, at.namespace, run.labels)
    account = service_accounts.declare(who, at.identity, at.oidc_issuer, child)
    ways = [allow_out(who, way, child) for way in at.ways]
    return k8s.batch.v1.Job(
        name,
        metadata=ObjectMetaArgs(
            name=run.job_name(), namespace=at.namespace, labels=run.labels, annotations=_TRIED_AGAIN
        ),
        spec=run.spec(),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*account, *ways, *at.ready]),
    )

"""The agents' part of an environment, declared without an engine, as the objects that a cluster would get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pulumi
import yaml

from infra.azure.identity import Identity, IdentityArgs
from infra.settings.sections import AgentSettings, AuthenticationSettings, CertificateSettings, HttpSettings
from infra.workload.access import Access
from infra.workload.agent import Agent, AgentArgs
from infra.workload.certificates import Certificate, CertificateArgs, CertManager
from infra.workload.dependencies import Dependencies, SqlDatabase
from infra.workload.migration import Migration, MigrationArgs
from infra.workload.namespace import Namespace, NamespaceArgs
from infra.workload.policies import Reach
from infra.workload.republishing import Republish, Republishing, RepublishingArgs
from infra.workload.scraping import Scraping
from infra.workload.secret_restoration import RestoreSecrets, SecretRestoration, SecretRestorationArgs
from tests.infra.azure.declaring import Declarations, Declared, declare, small

NAMESPACE = "agents-dev"
DIGEST = "sha256:" + "0" * 64
KEY = "11111111-2222-3333-4444-555555555555"
IMAGE = f"acragentsdev.azurecr.io/agents-api:1.0.0@{DIGEST}"
AGENTS = {
    "notification": AgentSettings(replicas=2, max_replicas=4),
    "devops": AgentSettings(priority="batch", memory="512Mi", memory_limit="1Gi"),
}
REACH = Reach()
SINCE = datetime(2026, 11, 28, 9, 59, 30, tzinfo=UTC)
OPEN = Access("dev", None, HttpSettings())
CLOSED = Access(
    "prod",
    AuthenticationSettings(tenant="11111111-2222-3333-4444-555555555555", audience="api://agents"),
    HttpSettings(rate="600/minute"),
)


def declared(
    agents: Mapping[str, AgentSettings] = AGENTS,
    *,
    reach: Reach = REACH,
    sql: SqlDatabase | None = SqlDatabase("sql-agents-dev.example", "AgentsDB", "postgresql"),  # noqa: B008
    image: str = IMAGE,
    access: Access = OPEN,
    version: str = "1.0.0",
    since: datetime | None = None,
    kept: Sequence[str] | None = None,
) -> Declarations:
    """`since`: events are published again; `kept`: secrets are brought back but for these."""

    def program() -> None:
        place = small()

        def identity(owner: str) -> Identity:
            return Identity(owner, IdentityArgs(f"id-{owner}-agents-dev", place))

        namespace = Namespace("namespace", NamespaceArgs(NAMESPACE, agents))
        ready: list[pulumi.Resource] = [namespace]
        if sql is not None:
            ready.append(
                Migration(
                    "migration",
                    MigrationArgs(
                        namespace=NAMESPACE,
                        image=image,
                        version=version,
                        identity=identity("migration"),
                        identity_name="id-migration-agents-dev",
                        oidc_issuer="https://issuer.example",
                        sql=sql,
                        users={f"id-{agent}-agents-dev": f"client-of-{agent}" for agent in agents},
                        reach=reach,
                        ready=[namespace],
                    ),
                )
            )
        needs = Dependencies(
            "https://cosmos.example",
            "https://openai.example",
            "gpt",
            "https://kv.example",
            sql,
            "https://topic.example/api/events",
            "https://st.queue.example/",
            {agent: agent for agent in agents},
            openai_backup_endpoint="https://openai-backup.example",
            insights=f"InstrumentationKey={KEY};IngestionEndpoint=https://in.example/",
            daily_tokens={agent: settings.daily_tokens for agent, settings in agents.items()},
            total_tokens=1_500_000,
        )
        for agent, settings in agents.items():
            Agent(
                agent,
                AgentArgs(
                    agent=agent,
                    namespace=NAMESPACE,
                    prompts={"say.md": "Say hello."},
                    image=image,
                    version=version,
                    settings=settings,
                    access=access,
                    identity=identity(agent),
                    identity_name=f"id-{agent}-agents-dev",
                    oidc_issuer="https://issuer.example",
                    dependencies=needs,
                    reach=reach,
                    rights=ready,
                ),
            )
        if since is not None:
            Republishing(
                "republishing",
                RepublishingArgs(
                    namespace=NAMESPACE,
                    image=image,
                    version=version,
                    oidc_issuer="https://issuer.example",
                    wanted=Republish(identity("republishing"), since, {agent: [] for agent in agents}),
                    environment={**needs.kept(), **needs.published()},
                    reach=reach,
                ),
            )
        if kept is not None:
            SecretRestoration(
                "secret-restoration",
                SecretRestorationArgs(
                    namespace=NAMESPACE,
                    image=image,
                    version=version,
                    oidc_issuer="https://issuer.example",
                    wanted=RestoreSecrets(
                        identity=identity("secret-restoration"),
                        source_vault="https://kv-source.example/",
                        copies="https://copies.example/",
                        key="https://kv-backup.example/keys/copies",
                        kept=kept,
                        ready=[],
                    ),
                    vault_uri=needs.vault_uri,
                    reach=reach,
                    ready=[namespace],
                ),
            )
        manager = CertManager("cert-manager", CertificateSettings(email="oncall@example.com"))
        Certificate("certificate", CertificateArgs(NAMESPACE, "agents-dev.example.com", [manager]))
        Scraping("scraping", NAMESPACE)

    return declare(program)


def of(found: Declarations, kind: str) -> dict[str, dict[str, Any]]:
    """Objects of a Kubernetes kind, by the name they have on the cluster."""
    return {
        one.inputs["metadata"]["name"]: _whole(one.inputs)
        for one in found
        if one.type.startswith("kubernetes:") and one.inputs.get("kind") == kind
    }


def _whole(value: Any) -> Any:
    """Whole numbers as such; the wire between program and engine knows only doubles."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def one(found: Declarations, kind: str, name: str) -> Declared:
    """One such object with the options that Pulumi was given for it."""
    (match,) = (
        each for each in found if each.inputs.get("kind") == kind and each.inputs["metadata"]["name"] == name
    )
    return match


def templates(found: Declarations) -> dict[str, dict[str, Any]]:
    """Every pod template, by the name of what it belongs to."""
    return {
        name: body["spec"]["template"]
        for kind in ("Deployment", "Job")
        for name, body in of(found, kind).items()
    }


def container(template: dict[str, Any]) -> dict[str, Any]:
    (only,) = template["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def scrape_jobs(found: Declarations) -> dict[str, dict[str, Any]]:
    """By name."""
    text = of(found, "ConfigMap")["ama-metrics-prometheus-config"]["data"]["prometheus-config"]
    return {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}

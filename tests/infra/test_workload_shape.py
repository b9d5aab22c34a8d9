"""What runs on the cluster: the objects as they are declared, and how Pulumi treats them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import ConsumerSettings, read
from infra.observability import thresholds
from infra.workload.access import Access
from infra.workload.dependencies import SqlDatabase
from infra.workload.policies import Range, Reach
from tests.infra.workload import (
    AGENTS,
    CLOSED,
    IMAGE,
    KEY,
    NAMESPACE,
    OPEN,
    Declarations,
    container,
    declared,
    of,
    one,
    scrape_jobs,
    templates,
)

AGENT = "notification-agent"


@pytest.fixture(scope="module")
def found() -> Declarations:
    return declared()


def test_every_agent_has_what_it_needs_to_run(found: Declarations) -> None:
    names = {f"{agent}-agent" for agent in AGENTS}
    for kind in ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"):
        assert set(of(found, kind)) == names, kind
    assert set(of(found, "ServiceAccount")) == {*names, "migration"}


def test_how_many_pods_there_are_is_left_to_the_autoscaler(found: Declarations) -> None:
    deployment = one(found, "Deployment", AGENT)
    assert deployment.inputs["spec"]["replicas"] == AGENTS["notification"].replicas
    assert deployment.ignored == ("spec.replicas",)
    spec = of(found, "HorizontalPodAutoscaler")[AGENT]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": AGENT}


def test_the_autoscaler_keeps_to_the_health_table(found: Declarations) -> None:
    metrics = of(found, "HorizontalPodAutoscaler")[AGENT]["spec"]["metrics"]
    targets = {metric["resource"]["name"]: metric["resource"]["target"] for metric in metrics}
    assert targets["cpu"] == {"type": "Utilization", "averageUtilization": thresholds.CPU.healthy * 100}
    amount = re.fullmatch(r"(\d+)Ki", targets["memory"]["averageValue"])
    assert amount
    assert int(amount[1]) / (512 * 1024) == pytest.approx(thresholds.MEMORY.healthy, abs=1e-5)


def test_draining_a_node_is_possible_even_with_one_pod(found: Declarations) -> None:
    spec = of(found, "PodDisruptionBudget")[AGENT]["spec"]
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec
    assert spec["selector"]["matchLabels"] == {"app.kubernetes.io/name": AGENT}


def test_a_pod_leaves_before_it_stops_and_finishes_what_it_has(found: Declarations) -> None:
    spec = of(found, "Deployment")[AGENT]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    pod = spec["template"]["spec"]
    environment = {item["name"]: item["value"] for item in container(spec["template"])["env"]}
    leaving = int(environment["Shutdown__LeaveSeconds"])
    assert leaving >= 5
    # app/__main__.py drains for the model's 60 seconds and 5 for storing; then an event may take its time,
    # and app/telemetry sends for 5 more.
    handling = ConsumerSettings().handle_seconds
    assert pod["terminationGracePeriodSeconds"] > leaving + 65 + handling + 5


def test_pods_are_spread_over_zones_and_nodes(found: Declarations) -> None:
    constraints = templates(found)[AGENT]["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in constraints] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for constraint in constraints:
        assert constraint["labelSelector"]["matchLabels"] == {"app.kubernetes.io/name": AGENT}


def test_what_a_pod_may_take_comes_from_the_settings(found: Declarations) -> None:
    resources = container(templates(found)["devops-agent"])["resources"]
    assert resources == {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1024Mi"}}


def test_priorities_come_from_the_settings_and_exist(found: Declarations) -> None:
    classes = of(found, "PriorityClass")
    used = {name: template["spec"]["priorityClassName"] for name, template in templates(found).items()}
    assert used[AGENT] == "agents-critical"
    assert used["devops-agent"] == "agents-batch"
    assert set(used.values()) <= set(classes)
    assert classes["agents-critical"]["value"] > classes["agents-batch"]["value"] > 0


def test_an_agent_is_told_where_everything_is(found: Declarations) -> None:
    environment = {item["name"]: item["value"] for item in container(templates(found)[AGENT])["env"]}
    assert environment["Sql__User"] == "id-notification-agents-dev"
    assert environment["Sql__Dialect"] == "postgresql"
    assert environment["Storage__Queue"] == "notification"
    assert environment["EventGrid__Endpoint"] == "https://topic.example/api/events"
    assert environment["APPLICATIONINSIGHTS_CONNECTION_STRING"].startswith(f"InstrumentationKey={KEY};")
    assert environment["CosmosDb__Ledger"] == "Ledger"
    assert (environment["TokenBudget__Daily"], environment["TokenBudget__Total"]) == ("1000000", "1500000")


@pytest.mark.parametrize("access", [OPEN, CLOSED], ids=["dev", "prod"])
def test_the_application_takes_what_it_is_told_about_callers(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = container(templates(declared(access=access))[AGENT])
    told = {item["name"]: item["value"] for item in pod["env"]}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = read()
    assert settings.environment == access.environment
    assert settings.authentication.enabled is (access.authentication is not None)
    assert settings.http.rate == access.http.rate
    assert settings.http.max_body_bytes == access.http.max_body_bytes


def test_without_a_database_nothing_speaks_of_one() -> None:
    found = declared(sql=None)
    assert not of(found, "Job")
    assert not [name for name in of(found, "NetworkPolicy") if "sql" in name]
    assert not [item for item in container(templates(found)[AGENT])["env"] if item["name"].startswith("Sql")]


class TestMigration:
    def test_agents_wait_for_it(self, found: Declarations) -> None:
        assert "migration" in one(found, "Deployment", AGENT).needs

    def test_it_runs_the_migration_as_its_own_identity_and_lets_the_agents_in(
        self, found: Declarations
    ) -> None:
        ((name, job),) = of(found, "Job").items()
        template = job["spec"]["template"]
        assert name.startswith("migration-1-0-0-")
        assert template["spec"]["serviceAccountName"] == "migration"
        assert container(template)["command"] == ["python", "-m", "app.migrate"]
        environment = {item["name"]: item["value"] for item in container(template)["env"]}
        assert environment["Sql__User"] == "id-migration-agents-dev"
        assert json.loads(environment["Sql__Users"]) == {
            "id-notification-agents-dev": "client-of-notification",
            "id-devops-agents-dev": "client-of-devops",
        }

    def test_it_gives_up_and_does_not_vanish(self, found: Declarations) -> None:
        (job,) = of(found, "Job").values()
        assert job["spec"]["activeDeadlineSeconds"] < 600
        assert "ttlSecondsAfterFinished" not in job["spec"]

    @pytest.mark.parametrize(
        "change",
        [
            {"image": IMAGE.replace("sha256:0", "sha256:1")},
            {"version": "1.0.1"},
            {"sql": SqlDatabase("restored.example", "AgentsDB", "postgresql")},
            {"agents": {"notification": AGENTS["notification"]}},
        ],
    )
    def test_it_is_another_job_when_something_changed(
        self, found: Declarations, change: dict[str, Any]
    ) -> None:
        assert set(of(declared(**change), "Job")) != set(of(found, "Job"))

    def test_it_is_the_same_job_when_nothing_did(self, found: Declarations) -> None:
        changed = {**AGENTS, "devops": AGENTS["devops"].model_copy(update={"max_replicas": 9})}
        assert set(of(declared(changed), "Job")) == set(of(found, "Job"))

    def test_its_name_fits_a_label_whatever_the_version(self) -> None:
        (name,) = of(declared(version="10.20.30-" + "Rc.1" * 30), "Job")
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
        assert len(name) <= 63


class TestPolicies:
    def test_every_way_has_a_name(self, found: Declarations) -> None:
        agents = [f"{agent}-agent" for agent in AGENTS]
        ways = ("to-identity", "to-services", "to-telemetry", "to-sql", "from-ingress", "from-prometheus")
        assert set(of(found, "NetworkPolicy")) == {
            "default-deny",
            "to-dns",
            "acme-solver-from-ingress",
            "migration-to-identity",
            "migration-to-sql",
            *(f"{agent}-{way}" for agent in agents for way in ways),
        }

    def test_each_lets_one_thing_through(self, found: Declarations) -> None:
        for name, policy in of(found, "NetworkPolicy").items():
            spec = policy["spec"]
            rules = [*spec.get("ingress", []), *spec.get("egress", [])]
            assert len(rules) == (0 if name == "default-deny" else 1), name
            for rule in rules:
                assert rule["ports"], name
                assert rule.get("to") or rule.get("from"), name

    def test_nothing_else_is_let_through(self, found: Declarations) -> None:
        spec = of(found, "NetworkPolicy")["default-deny"]["spec"]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    @pytest.mark.parametrize(
        ("dialect", "ports"),
        [("mssql", [(1433, None), (11000, 11999)]), ("postgresql", [(5432, None)])],
    )
    def test_the_database_has_the_ports_of_its_dialect(
        self, dialect: Any, ports: list[tuple[int, int | None]]
    ) -> None:
        found = declared(sql=SqlDatabase("sql.example", "AgentsDB", dialect))
        for name in (f"{AGENT}-to-sql", "migration-to-sql"):
            (rule,) = of(found, "NetworkPolicy")[name]["spec"]["egress"]
            assert [(port["port"], port.get("endPort")) for port in rule["ports"]] == ports

    def test_public_services_are_reached_and_neighbours_are_not(self, found: Declarations) -> None:
        (rule,) = of(found, "NetworkPolicy")[f"{AGENT}-to-services"]["spec"]["egress"]
        (peer,) = rule["to"]
        assert peer["ipBlock"]["cidr"] == "0.0.0.0/0"
        assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(peer["ipBlock"]["except"])
        assert rule["ports"] == [{"port": 443, "protocol": "TCP"}]

    def test_private_services_are_reached_at_their_range_only(self) -> None:
        policies = of(declared(reach=Reach(services=[Range("10.240.16.0/24")])), "NetworkPolicy")
        for way in ("to-services", "to-sql"):
            (rule,) = policies[f"{AGENT}-{way}"]["spec"]["egress"]
            assert rule["to"] == [{"ipBlock": {"cidr": "10.240.16.0/24"}}]
        for way in ("to-identity", "to-telemetry"):
            (rule,) = policies[f"{AGENT}-{way}"]["spec"]["egress"]
            assert rule["to"][0]["ipBlock"]["cidr"] == "0.0.0.0/0"

    def test_only_the_ingress_controller_and_prometheus_come_in(self, found: Declarations) -> None:
        policies = of(found, "NetworkPolicy")
        for caller, namespace in (("ingress", "app-routing-system"), ("prometheus", "kube-system")):
            spec = policies[f"{AGENT}-from-{caller}"]["spec"]
            (rule,) = spec["ingress"]
            (peer,) = rule["from"]
            assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": namespace}
            assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]
            assert spec["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": AGENT}

    def test_agents_have_theirs_before_their_first_pod(self, found: Declarations) -> None:
        assert {f"{AGENT}-to-services", f"{AGENT}-from-ingress", "namespace"} <= set(
            one(found, "Deployment", AGENT).needs
        )


class TestCertificates:
    def test_the_certificate_is_the_one_that_the_ingress_serves(self, found: Declarations) -> None:
        certificate = of(found, "Certificate")["agents-tls"]
        assert certificate["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}
        assert certificate["spec"]["secretName"] == "agents-tls"
        assert certificate["spec"]["issuerRef"]["name"] in of(found, "ClusterIssuer")

    def test_challenges_go_through_the_ingress_and_take_no_port_of_a_node(self, found: Declarations) -> None:
        (issuer,) = of(found, "ClusterIssuer").values()
        acme = issuer["spec"]["acme"]
        assert acme["email"] == "oncall@example.com"
        assert acme["solvers"] == [
            {
                "http01": {
                    "ingress": {
                        "ingressClassName": "webapprouting.kubernetes.azure.com",
                        "serviceType": "ClusterIP",
                    }
                }
            }
        ]
        assert of(found, "ResourceQuota")["agents"]["spec"]["hard"]["services.nodeports"] == "0"

    def test_the_chart_is_pinned_and_brings_its_definitions(self, found: Declarations) -> None:
        (release,) = (each.inputs for each in found if each.type.endswith("helm.sh/v3:Release"))
        assert re.fullmatch(r"v\d+\.\d+\.\d+", release["version"])
        assert release["values"] == {"crds": {"enabled": True}}


def test_prometheus_reads_the_agents_under_the_name_that_queries_use(found: Declarations) -> None:
    job = scrape_jobs(found)["agent-api"]
    assert job["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": [NAMESPACE]}}]
    keep = {
        rule["source_labels"][0]: rule["regex"] for rule in job["relabel_configs"] if rule["action"] == "keep"
    }
    labels = templates(found)[AGENT]["metadata"]["labels"]
    assert (
        labels["app.kubernetes.io/part-of"] == keep["__meta_kubernetes_pod_label_app_kubernetes_io_part_of"]
    )
    ports = container(templates(found)[AGENT])["ports"]
    assert [port["name"] for port in ports] == [keep["__meta_kubernetes_pod_container_port_name"]]


def test_prometheus_reads_the_backups_worker_as_no_agent(found: Declarations) -> None:
    """What it is called, where it runs and what its port is called: as `infra/workload/backup.py` has it."""
    job = scrape_jobs(found)["backup"]
    assert job["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": [f"{NAMESPACE}-backup"]}}]
    keep = {
        rule["source_labels"][0]: rule["regex"] for rule in job["relabel_configs"] if rule["action"] == "keep"
    }
    worker = yaml.safe_load((Path(__file__).parent / "graph" / "prod-backup.yaml").read_text())
    (template,) = (
        told["inputs"]["spec"]["template"] for path, told in worker.items() if "apps/v1:Deployment" in path
    )
    label = "__meta_kubernetes_pod_label_app_kubernetes_io_name"
    assert keep[label] == template["metadata"]["labels"]["app.kubernetes.io/name"]
    assert "app.kubernetes.io/part-of" not in template["metadata"]["labels"]
    (port,) = template["spec"]["containers"][0]["ports"]
    assert keep["__meta_kubernetes_pod_container_port_name"] == port["name"]


def test_prometheus_takes_the_scrape_job(found: Declarations, tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool (apt-get install prometheus)")
    jobs = list(scrape_jobs(found).values())
    for job in jobs:
        # Debian builds Prometheus without discovery in Kubernetes.
        del job["kubernetes_sd_configs"]
        job["file_sd_configs"] = [{"files": [str(tmp_path / "pods.json")]}]
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"scrape_configs": jobs}))
    done = subprocess.run([promtool, "check", "config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

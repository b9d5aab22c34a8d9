"""What managed Prometheus reads of the agents: a scrape job of our own, under the name that queries use."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import yaml
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.workload.pods import PART_OF

JOB = "agent-api"
#: The backup's worker, which is in a namespace of its stack and is no agent.
BACKUP_JOB, BACKUP_WORKER = "backup", "backup-worker"
# Where the metrics add-on looks for further jobs; its own (kubelet, cAdvisor, …) go on beside them. Scraping
# by annotation would be one line, but every pod would then have the add-on's job name.
# https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration
_CONFIG_MAP, _NAMESPACE, _KEY = "ama-metrics-prometheus-config", "kube-system", "prometheus-config"


def configuration(namespace: str) -> dict[str, Any]:
    """Every port called `http` of the agents' pods, in the words of Prometheus; and the backup's worker."""
    (part_of, agents), *_ = PART_OF.items()
    jobs = [
        _job(JOB, namespace, _keep(_label(part_of), agents)),
        _job(BACKUP_JOB, f"{namespace}-backup", _keep(_label("app.kubernetes.io/name"), BACKUP_WORKER)),
    ]
    return {"scrape_configs": jobs}


def _job(name: str, namespace: str, which: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_name": name,
        "scrape_interval": "15s",
        "metrics_path": "/metrics/",
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": [
            which,
            _keep("__meta_kubernetes_pod_container_port_name", "http"),
            _copy("__meta_kubernetes_namespace", "namespace"),
            _copy("__meta_kubernetes_pod_name", "pod"),
        ],
    }


def _label(name: str) -> str:
    """Where Prometheus has a pod's label."""
    return f"__meta_kubernetes_pod_label_{name.translate(str.maketrans('./-', '___'))}"


def _keep(label: str, value: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": [label], "regex": value}


def _copy(label: str, target: str) -> dict[str, Any]:
    return {"action": "replace", "source_labels": [label], "target_label": target}


class Scraping(pulumi.ComponentResource):
    """The add-on restarts its collectors within minutes of a change."""

    def __init__(self, name: str, namespace: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("agents:workload:Scraping", name, None, opts)
        k8s.core.v1.ConfigMap(
            name,
            metadata=ObjectMetaArgs(name=_CONFIG_MAP, namespace=_NAMESPACE),
            data={_KEY: yaml.safe_dump(configuration(namespace), sort_keys=False)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

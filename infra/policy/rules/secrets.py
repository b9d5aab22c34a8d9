"""Secrets are where they belong: in Key Vault, not in manifests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.policy.model import Resource, listed
from infra.policy.rule import Faults, resource_rule
from infra.policy.rules.podspec import WORKLOADS, containers

_SOURCE = "https://learn.microsoft.com/azure/aks/csi-secrets-store-driver"
#: Words of names whose values are secret: `API_KEY`, `ClientSecret`, `db-password`.
_NAME = re.compile(
    r"(?:^|[_\-.:]|(?<=[a-z]))(?:api[_-]?key|account[_-]?key|access[_-]?key|connection[_-]?string|credentials?"
    r"|passphrase|password|passwd|private[_-]?key|routing[_-]?key|secret|sas[_-]?token|token)s?$",
    re.IGNORECASE,
)
#: Values that are secrets whatever their name.
_VALUES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a key of a storage account or of Cosmos DB": re.compile(r"AccountKey=[A-Za-z0-9+/=]{20,}"),
    "a shared access key": re.compile(r"SharedAccessKey=[A-Za-z0-9+/=]{20,}"),
    "a shared access signature": re.compile(r"[?&]sig=[A-Za-z0-9%+/=]{20,}"),
    "a password in a connection string": re.compile(r"(?i)\b(?:password|pwd)=[^;\s]{4,}"),
    "a password in a URL": re.compile(r"://[^/\s:@]+:[^/\s:@]+@"),
    "a token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})"),
    "an OpenAI key": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a webhook's address, which is its key": re.compile(r"https://[^\s/]+\.webhook\.office\.com/\S+"),
}
#: Says where telemetry goes; opens nothing where the component takes Entra ID only, as another rule demands.
_PUBLIC = {"APPLICATIONINSIGHTS_CONNECTION_STRING"}
#: How many tokens a model may use is said by such names as well.
_COUNTED, _NUMBER = re.compile(r"tokens$", re.IGNORECASE), re.compile(r"\d+")
#: Kubernetes' own and Azure's names for paths, not secrets.
_FILES = re.compile(r"(?:^/|(?:_|-|\.)(?:file|path|name|uri|url)$)", re.IGNORECASE)


@resource_rule(
    *WORKLOADS,
    remedy="Keep it in Key Vault and read it with the pod's identity; at least use secretKeyRef",
    source=_SOURCE,
)
def pods_are_handed_no_secrets(workload: Resource) -> Faults:
    """No environment variable, command or argument of a container holds a secret in plain text."""
    for name, container in containers(workload):
        for variable in listed(container.get("env")):
            for what in _secrets(str(variable.get("name")), variable.get("value")):
                yield f"{variable.get('name')} of container {name} holds {what}"
        for text in (*listed(container.get("command")), *listed(container.get("args"))):
            for what in _secrets("", text):
                yield f"the command of container {name} holds {what}"


@resource_rule(
    "kubernetes:core:ConfigMap",
    remedy="Keep it in Key Vault and read it with the pod's identity",
    source=_SOURCE,
)
def config_maps_hold_no_secrets(config: Resource) -> Faults:
    """No ConfigMap holds a secret in plain text."""
    data = config.get("data")
    for key, value in (data if isinstance(data, Mapping) else {}).items():
        for what in _secrets(key, value):
            yield f"{key} holds {what}"


def _secrets(name: str, value: Any) -> Iterator[str]:
    """What kinds of secret a named value is; not the value, which would put it into the report."""
    if not isinstance(value, str) or not value:
        return
    found = [what for what, pattern in _VALUES.items() if pattern.search(value)]
    counted = _COUNTED.search(name) and _NUMBER.fullmatch(value)
    named = _NAME.search(name) and name not in _PUBLIC and not counted
    if not found and named and not _FILES.search(name) and not _FILES.search(value):
        found = ["what its name calls a secret"]
    yield from found

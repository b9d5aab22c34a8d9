"""The workload-identity admission webhook: what a labelled pod needs to be an Azure identity.

Pods labelled `azure.workload.identity/use: "true"` get the token of their service account for Entra ID and
the variables that Azure's SDKs read, exactly as azure-workload-identity's own webhook puts them there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

LABEL = "azure.workload.identity/use"
CLIENT_ID = "azure.workload.identity/client-id"
TENANT_ID = "azure.workload.identity/tenant-id"
EXPIRATION = "azure.workload.identity/service-account-token-expiration"
SKIP = "azure.workload.identity/skip-containers"

AUDIENCE = "api://AzureADTokenExchange"
VOLUME = "azure-identity-token"
FOLDER = "/var/run/secrets/azure/tokens"
_MINIMUM, _DEFAULT, _MAXIMUM = 3600, 3600, 86400


class InvalidPodError(ValueError):
    """An annotation of the pod or its service account cannot be used."""


def configuration(url: str, authority_pem: str) -> dict[str, Any]:
    """The MutatingWebhookConfiguration, named as AKS names it. Pods of kube-system do not wait for Azure."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "azure-wi-webhook-mutating-webhook-configuration"},
        "webhooks": [
            {
                "name": "mutation.azure-workload-identity.io",
                "admissionReviewVersions": ["v1"],
                "clientConfig": {"url": url, "caBundle": base64.b64encode(authority_pem.encode()).decode()},
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}
                    ]
                },
                "objectSelector": {"matchLabels": {LABEL: "true"}},
                "reinvocationPolicy": "IfNeeded",
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
                "sideEffects": "None",
                "timeoutSeconds": 10,
            }
        ],
    }


def mutate(
    review: Mapping[str, Any], account: Mapping[str, Any] | None, *, tenant: str, authority_host: str
) -> dict[str, Any]:
    """The AdmissionReview that answers `review`; `account` is the pod's ServiceAccount, None without one."""
    request = review["request"]
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    try:
        patch = _patch(request["object"], account or {}, tenant, authority_host)
    except InvalidPodError as error:
        response.update(allowed=False, status={"code": 400, "reason": "BadRequest", "message": str(error)})
    else:
        response.update(patchType="JSONPatch", patch=base64.b64encode(json.dumps(patch).encode()).decode())
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


def _patch(
    pod: Mapping[str, Any], account: Mapping[str, Any], tenant: str, authority_host: str
) -> list[dict[str, Any]]:
    annotations = (account.get("metadata") or {}).get("annotations") or {}
    own = (pod.get("metadata") or {}).get("annotations") or {}
    variables = {
        "AZURE_CLIENT_ID": annotations.get(CLIENT_ID, ""),
        "AZURE_TENANT_ID": annotations.get(TENANT_ID) or tenant,
        "AZURE_FEDERATED_TOKEN_FILE": f"{FOLDER}/{VOLUME}",
        "AZURE_AUTHORITY_HOST": authority_host,
    }
    skipped = {name.strip() for name in own.get(SKIP, "").split(";")}
    spec = pod["spec"]
    patch: list[dict[str, Any]] = [
        {
            "op": "replace",
            "path": f"/spec/{kind}",
            "value": [_equip(one, variables, skipped) for one in spec[kind]],
        }
        for kind in ("initContainers", "containers")
        if spec.get(kind)
    ]
    volumes = [volume for volume in spec.get("volumes") or [] if volume["name"] != VOLUME]
    volumes.append(_token_volume(own.get(EXPIRATION) or annotations.get(EXPIRATION)))
    patch.append({"op": "add", "path": "/spec/volumes", "value": volumes})
    return patch


def _equip(container: Mapping[str, Any], variables: Mapping[str, str], skipped: set[str]) -> dict[str, Any]:
    if container["name"] in skipped:
        return dict(container)
    env = list(container.get("env") or [])
    # What the user set stays.
    known = {entry["name"] for entry in env}
    env += [{"name": name, "value": value} for name, value in variables.items() if name not in known]
    mounts = [mount for mount in container.get("volumeMounts") or [] if mount["name"] != VOLUME]
    mounts.append({"name": VOLUME, "mountPath": FOLDER, "readOnly": True})
    return {**container, "env": env, "volumeMounts": mounts}


def _token_volume(expiration: str | None) -> dict[str, Any]:
    try:
        seconds = int(expiration) if expiration else _DEFAULT
    except ValueError:
        seconds = -1
    if not _MINIMUM <= seconds <= _MAXIMUM:
        raise InvalidPodError(f"{EXPIRATION}: {expiration!r} must be {_MINIMUM} to {_MAXIMUM} seconds")
    token = {"audience": AUDIENCE, "expirationSeconds": seconds, "path": VOLUME}
    return {"name": VOLUME, "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": token}]}}

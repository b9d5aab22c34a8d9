"""The admission webhook: what a pod gets, and what it keeps."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sandbox.aks import workloadidentity
from sandbox.config import TENANT_ID

HOST = "https://login.azure.test/"
ACCOUNT = {"metadata": {"annotations": {workloadidentity.CLIENT_ID: "client"}}}


def mutated(pod: dict[str, Any], account: dict[str, Any] | None = None) -> dict[str, Any]:
    """The pod as the patch makes it."""
    review = {"request": {"uid": "1", "object": pod}}
    answer = workloadidentity.mutate(review, account or ACCOUNT, tenant=TENANT_ID, authority_host=HOST)
    response = answer["response"]
    assert response["allowed"], response
    for operation in json.loads(base64.b64decode(response["patch"])):
        pod["spec"][operation["path"].removeprefix("/spec/")] = operation["value"]
    return pod


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"containers": [{"name": "main", "image": "x"}], **spec}}


def env(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container.get("env", [])}


def test_every_container_gets_variables_and_the_token() -> None:
    spec = mutated(pod(initContainers=[{"name": "init", "image": "x"}]))["spec"]
    for container in (*spec["containers"], *spec["initContainers"]):
        assert env(container) == {
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": TENANT_ID,
            "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token",
            "AZURE_AUTHORITY_HOST": HOST,
        }
        assert container["volumeMounts"] == [
            {"name": "azure-identity-token", "mountPath": "/var/run/secrets/azure/tokens", "readOnly": True}
        ]
    token = spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]
    assert token == {
        "audience": "api://AzureADTokenExchange",
        "expirationSeconds": 3600,
        "path": "azure-identity-token",
    }


def test_what_the_user_set_stays() -> None:
    own = {"name": "main", "image": "x", "env": [{"name": "AZURE_CLIENT_ID", "value": "mine"}]}
    spec = mutated(pod(containers=[own], volumes=[{"name": "data"}]))["spec"]
    assert env(spec["containers"][0])["AZURE_CLIENT_ID"] == "mine"
    assert [volume["name"] for volume in spec["volumes"]] == ["data", "azure-identity-token"]


def test_it_may_be_asked_again() -> None:
    once = mutated(pod())
    assert mutated(json.loads(json.dumps(once))) == once


def test_annotations_of_pod_and_account_are_followed() -> None:
    asked = pod(containers=[{"name": "main", "image": "x"}, {"name": "proxy", "image": "x"}])
    asked["metadata"]["annotations"] = {workloadidentity.SKIP: "proxy", workloadidentity.EXPIRATION: "7200"}
    account = {"metadata": {"annotations": {workloadidentity.TENANT_ID: "other-tenant"}}}
    spec = mutated(asked, account)["spec"]
    assert env(spec["containers"][0])["AZURE_TENANT_ID"] == "other-tenant"
    assert env(spec["containers"][1]) == {}
    sources = spec["volumes"][0]["projected"]["sources"]
    assert sources[0]["serviceAccountToken"]["expirationSeconds"] == 7200


@pytest.mark.parametrize("seconds", ["3599", "86401", "soon", "-1"])
def test_an_impossible_expiration_is_refused(seconds: str) -> None:
    asked = pod()
    asked["metadata"]["annotations"] = {workloadidentity.EXPIRATION: seconds}
    review = {"request": {"uid": "1", "object": asked}}
    response = workloadidentity.mutate(review, ACCOUNT, tenant=TENANT_ID, authority_host=HOST)["response"]
    assert not response["allowed"]
    assert seconds in response["status"]["message"]


def test_the_webhook_leaves_system_pods_alone() -> None:
    hook = workloadidentity.configuration("https://there", "PEM")["webhooks"][0]
    assert hook["objectSelector"] == {"matchLabels": {"azure.workload.identity/use": "true"}}
    assert hook["namespaceSelector"]["matchExpressions"][0]["values"] == ["kube-system"]

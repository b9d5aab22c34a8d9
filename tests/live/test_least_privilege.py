"""An identity without any role is refused on every plane; one with exactly its roles is refused the rest."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
import yaml

from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

GROUP, NAMESPACE, AUDIENCE = "rg-agents-dev", "agents-dev", "api://AzureADTokenExchange"
NOBODY = "nobody"
AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}


@dataclass(frozen=True)
class Identity:
    """A workload's way to tokens: its service account's token, exchanged at Entra ID."""

    client_id: str
    service_account: str
    sandbox: Sandbox
    http: httpx.Client

    def token(self, scope: str) -> str:
        assertion = self.sandbox.kubectl(
            "create", "token", self.service_account, "-n", NAMESPACE, "--audience", AUDIENCE
        ).strip()
        env = self.sandbox.env
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": scope,
            "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        answer = self.http.post(
            f"{env['AZURE_AUTHORITY_HOST'].rstrip('/')}/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token", data=form
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=sandbox.env["SSL_CERT_FILE"])
    with httpx.Client(verify=context, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def nobody(sandbox: Sandbox, http: httpx.Client) -> Iterator[Identity]:
    """A fresh identity federated to a fresh service account, with no role assignment anywhere."""
    issuer = sandbox.az("aks", "show", "-g", GROUP, "-n", "aks-agents-dev")["oidcIssuerProfile"]["issuerUrl"]
    identity = sandbox.az("identity", "create", "-g", GROUP, "-n", NOBODY)
    sandbox.az(
        *("identity", "federated-credential", "create", "-g", GROUP, "--identity-name", NOBODY, "-n", NOBODY),
        *("--issuer", issuer, "--subject", f"system:serviceaccount:{NAMESPACE}:{NOBODY}"),
        *("--audiences", AUDIENCE),
    )
    sandbox.run("kubectl", "create", "serviceaccount", NOBODY, "-n", NAMESPACE, check=False)
    yield Identity(identity["clientId"], NOBODY, sandbox, http)
    sandbox.kubectl("delete", "serviceaccount", NOBODY, "-n", NAMESPACE)
    sandbox.az("identity", "delete", "-g", GROUP, "-n", NOBODY)


@pytest.fixture(scope="module")
def agent(sandbox: Sandbox, http: httpx.Client) -> Identity:
    identity = sandbox.az("identity", "show", "-g", GROUP, "-n", "id-notification-agents-dev")
    return Identity(identity["clientId"], "notification-agent", sandbox, http)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _arm(identity: Identity) -> httpx.Response:
    env = identity.sandbox.env
    url = f"https://{env['ARM_METADATA_HOSTNAME']}/subscriptions/{env['ARM_SUBSCRIPTION_ID']}/resourceGroups/{GROUP}"
    token = identity.token(f"https://{env['ARM_METADATA_HOSTNAME']}/.default")
    return identity.http.get(url, params={"api-version": "2024-03-01"}, headers=_bearer(token))


def _vault_read(identity: Identity) -> httpx.Response:
    token = identity.token("https://vault.azure.test/.default")
    url = "https://kv-agents-dev.vault.azure.test/secrets"
    return identity.http.get(url, params={"api-version": "7.4"}, headers=_bearer(token))


def _vault_write(identity: Identity) -> httpx.Response:
    token = identity.token("https://vault.azure.test/.default")
    url = "https://kv-agents-dev.vault.azure.test/secrets/forbidden"
    return identity.http.put(url, params={"api-version": "7.4"}, headers=_bearer(token), json={"value": "x"})


def _cosmos(identity: Identity) -> httpx.Response:
    token = identity.token("https://cosmos-agents-dev.documents.azure.test/.default")
    headers = {
        "authorization": quote(f"type=aad&ver=1.0&sig={token}", safe=""),
        "x-ms-version": "2018-12-31",
        "x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
        "x-ms-documentdb-partitionkey": '["notification"]',
    }
    url = "https://cosmos-agents-dev.documents.azure.test/dbs/AgentsDB/colls/Events/docs/absent"
    return identity.http.get(url, headers=headers)


def _model(identity: Identity) -> httpx.Response:
    token = identity.token("https://cognitiveservices.azure.com/.default")
    url = "https://oai-agents-dev.openai.azure.test/openai/v1/chat/completions"
    return identity.http.post(url, headers=_bearer(token), json=CHAT)


def _registry(identity: Identity) -> httpx.Response:
    env, host = identity.sandbox.env, "acragentsdev.azurecr.azure.test"
    token = identity.token(f"https://{env['ARM_METADATA_HOSTNAME']}/.default")
    form = {
        "grant_type": "access_token",
        "service": host,
        "tenant": env["AZURE_TENANT_ID"],
        "access_token": token,
    }
    exchanged = identity.http.post(f"https://{host}/oauth2/exchange", data=form)
    if exchanged.status_code != 200:
        return exchanged
    scope = "repository:agents-api-notification:pull"
    form = {
        "grant_type": "refresh_token",
        "service": host,
        "scope": scope,
        "refresh_token": exchanged.json()["refresh_token"],
    }
    access = identity.http.post(f"https://{host}/oauth2/token", data=form)
    if access.status_code != 200:
        return access
    url = f"https://{host}/v2/agents-api-notification/manifests/1.0.0"
    return identity.http.get(url, headers=_bearer(access.json()["access_token"]))


def _kubernetes(identity: Identity) -> httpx.Response:
    config = yaml.safe_load(identity.sandbox.kubectl("config", "view", "--raw"))
    server = config["clusters"][0]["cluster"]["server"]
    token = identity.token(f"{AKS}/.default")
    return identity.http.get(f"{server}/api/v1/namespaces/{NAMESPACE}/secrets", headers=_bearer(token))


PLANES = {
    "arm": _arm,
    "vault-read": _vault_read,
    "vault-write": _vault_write,
    "cosmos": _cosmos,
    "model": _model,
    "registry": _registry,
    "kubernetes": _kubernetes,
}
# The registry says 401 where the other planes say 403.
REFUSED = {401, 403}
# `Key Vault Secrets User` lists and reads secrets; the document that is looked for does not exist.
AGENT_MAY = {"vault-read": 200, "cosmos": 404, "model": 200}


@pytest.mark.parametrize("plane", PLANES)
def test_an_identity_without_a_role_is_refused(nobody: Identity, plane: str) -> None:
    answer = PLANES[plane](nobody)
    wanted = REFUSED if plane == "registry" else {403}
    assert answer.status_code in wanted, (answer.status_code, answer.text)


@pytest.mark.parametrize("plane", PLANES)
def test_an_agent_may_do_its_work_and_nothing_else(agent: Identity, plane: str) -> None:
    answer = PLANES[plane](agent)
    wanted = {AGENT_MAY[plane]} if plane in AGENT_MAY else REFUSED
    assert answer.status_code in wanted, (answer.status_code, answer.text)

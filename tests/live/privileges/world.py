"""The running environment as the operations need it: hosts, one HTTP client, and everybody's tokens."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt

AUTHORIZATION = "Microsoft.Authorization"
_PATIENCE = 20


@dataclass(frozen=True)
class Cast:
    """One identity. `account` is its Kubernetes service account, with whose token it signs in."""

    object_id: str
    client_id: str
    name: str
    account: str | None = None


@dataclass
class World:
    """`env` is a user's environment; the deployer of it is who prepares, reads ARM and cleans up."""

    env: Mapping[str, str]
    http: httpx.AsyncClient
    environment: str = "dev"
    cast: dict[str, Cast] = field(default_factory=dict)
    #: What has to be looked up: the cluster's and the topic's host, the issuer of service accounts.
    cluster: str = ""
    topic: str = ""
    issuer: str = ""
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def manager(self) -> str:
        return f"https://{self.env['ARM_METADATA_HOSTNAME']}"

    @property
    def suffix(self) -> str:
        return self.env["ARM_METADATA_HOSTNAME"].partition(".")[2]

    @property
    def subscription(self) -> str:
        return f"/subscriptions/{self.env['ARM_SUBSCRIPTION_ID']}"

    @property
    def group(self) -> str:
        return f"{self.subscription}/resourceGroups/rg-agents-{self.environment}"

    def resource(self, kind: str, name: str) -> str:
        """The id of a resource of the environment: `resource("Microsoft.KeyVault/vaults", "kv-…")`."""
        return f"{self.group}/providers/{kind}/{name}"

    @property
    def account(self) -> str:
        """The Cosmos DB account that agents use: after a restore, another than the original."""
        return self.env.get("AGENTS_COSMOS_ACCOUNT", f"cosmos-agents-{self.environment}")

    @property
    def database(self) -> str:
        """The SQL database that agents use."""
        return self.env.get("AGENTS_SQL_DATABASE", "AgentsDB")

    @property
    def storage(self) -> str:
        return f"stagents{self.environment}"

    @property
    def namespace(self) -> str:
        return f"agents-{self.environment}"

    # Tokens.

    async def deployer(self, audience: str) -> str:
        return await self._token("", audience)

    async def token(self, who: str, audience: str) -> str:
        """Agents get theirs as their pods do; others, whose sign-in only Azure itself does, a minted one."""
        return await self._token(who, audience)

    async def _token(self, who: str, audience: str) -> str:
        key = (who, audience)
        if key not in self._tokens:
            account = self.cast[who].account if who else None
            if not who:
                self._tokens[key] = await self._sign_in(audience)
            elif account is not None:
                self._tokens[key] = await self._federated(self.cast[who], account, audience)
            else:
                self._tokens[key] = await self._minted(self.cast[who], audience)
        return self._tokens[key]

    async def _exchange(self, form: Mapping[str, str]) -> str:
        env = self.env
        url = f"{env['AZURE_AUTHORITY_HOST'].rstrip('/')}/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        answer = await self.http.post(url, data={"grant_type": "client_credentials", **form})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def _sign_in(self, audience: str) -> str:
        env = self.env
        form = {"client_id": env["AZURE_CLIENT_ID"], "client_secret": env["AZURE_CLIENT_SECRET"]}
        return await self._exchange({**form, "scope": f"{audience}/.default"})

    async def _federated(self, cast: Cast, account: str, audience: str) -> str:
        form = {
            "client_id": cast.client_id,
            "scope": f"{audience}/.default",
            "client_assertion": await self.account_token(account, "api://AzureADTokenExchange"),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        return await self._exchange(form)

    async def _minted(self, cast: Cast, audience: str) -> str:
        """A token such as Entra gives the identity, signed with the sandbox's own key."""
        options: Any = {"verify_signature": False}
        claims = jwt.decode(await self.deployer(audience), options=options)
        claims |= {"oid": cast.object_id, "sub": cast.object_id, "appid": cast.client_id}
        kid, pem = await asyncio.to_thread(self._signing_key)
        return jwt.encode(claims, pem, "RS256", headers={"kid": kid})

    def _signing_key(self) -> tuple[str, str]:
        state = Path(self.env["SSL_CERT_FILE"]).parents[1]
        with sqlite3.connect(f"file:{state / 'azure.db'}?mode=ro", uri=True) as database:
            row = "SELECT kid, pem FROM signing_keys ORDER BY created_at DESC LIMIT 1"
            kid, pem = database.execute(row).fetchone()
        return str(kid), str(pem)

    async def account_token(self, account: str, audience: str) -> str:
        """A service account's own token, as it is projected into pods."""
        key = (f"account {account}", audience)
        if key not in self._tokens:
            url = f"{self.cluster}/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
            answer = await self.http.post(
                url,
                headers=bearer(await self.deployer(AKS)),
                json={**body, "spec": {"audiences": [audience], "expirationSeconds": 3600}},
            )
            assert answer.status_code == 201, answer.text
            self._tokens[key] = str(answer.json()["status"]["token"])
        return self._tokens[key]

    # Resource Manager.

    async def arm(
        self, method: str, path: str, version: str, body: Any = None, *, who: str = ""
    ) -> httpx.Response:
        """`who` is one of the cast, else the deployer."""
        return await self.http.request(
            method,
            f"{self.manager}{path}",
            params={"api-version": version},
            headers=bearer(await self._token(who, self.manager)),
            json=body,
        )

    async def arm_done(self, method: str, path: str, version: str, body: Any = None) -> Any:
        """As the deployer, once it is over; the answer's body."""
        answer = await self.arm(method, path, version, body)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        polled = answer.headers.get("azure-asyncoperation")
        deadline = time.monotonic() + _PATIENCE
        while polled:
            status = await self.http.get(polled, headers=bearer(await self.deployer(self.manager)))
            state = status.json()["status"]
            if state == "Succeeded":
                break
            assert state in {"InProgress", "Running", "Accepted"}, status.text
            assert time.monotonic() < deadline, f"{method} {path} does not end"
            await asyncio.sleep(0.1)
        return answer.json() if answer.content else None


#: Azure Kubernetes Service's server application.
AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}

"""Operations on data: Cosmos DB, Key Vault, queues, blobs, the topic, the models and the registry."""

from __future__ import annotations

import json
import time
import uuid
from urllib.parse import quote

import httpx

from tests.live.privileges.operations import ALLOWED, Ask, operation, register, verdict
from tests.live.privileges.world import World, bearer

AGENTS = ("notification", "servicedesk", "devops", "testplanning", "implementation")
CONTAINERS = ("Events", "Ledger")
#: The partition of the items that are written here.
PARTITION = "privileges"
_SECONDS = 60


# Cosmos DB: what an item's request is.


async def cosmos(
    world: World, who: str, method: str, path: str, content: object, **headers: str
) -> httpx.Response:
    host = f"{world.account}.documents.{world.suffix}"
    token = await world.token(who, f"https://{host}") if who else await world.deployer(f"https://{host}")
    sent = {
        "authorization": quote(f"type=aad&ver=1.0&sig={token}", safe=""),
        "x-ms-version": "2018-12-31",
        "x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
        "x-ms-documentdb-partitionkey": json.dumps([PARTITION]),
        "content-type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    body = None if content is None else json.dumps(content).encode()
    return await world.http.request(
        method, f"https://{host}/dbs/AgentsDB/colls/{path}", headers=sent, content=body
    )


def _item(key: str) -> dict[str, object]:
    return {"id": key, "agent": PARTITION, "day": PARTITION, "ttl": _SECONDS}


def _on_items(container: str, kind: str) -> Ask:
    docs = f"{container}/docs"

    async def ask(world: World, who: str) -> str:
        absent, fresh = f"{docs}/absent", _item(uuid.uuid4().hex)
        match kind:
            case "read":
                answer = await cosmos(world, who, "GET", absent, None)
            case "create":
                answer = await cosmos(world, who, "POST", docs, fresh)
            case "upsert":
                answer = await cosmos(world, who, "POST", docs, fresh, x_ms_documentdb_is_upsert="True")
            case "replace":
                answer = await cosmos(world, who, "PUT", absent, _item("absent"))
            case "delete":
                answer = await cosmos(world, who, "DELETE", absent, None)
            case _:
                query = {"query": "SELECT TOP 1 c.id FROM c", "parameters": []}
                special = {"x_ms_documentdb_isquery": "True", "content_type": "application/query+json"}
                answer = await cosmos(world, who, "POST", docs, query, **special)
        return verdict(answer, 403, "does not have required RBAC permissions")

    return ask


for _container in CONTAINERS:
    for _kind in ("read", "query", "create", "upsert", "replace", "delete"):
        _title = f"Cosmos DB, `{_container}`: {_kind} items"
        register(f"cosmos.{_container}.{_kind}", _title, _on_items(_container, _kind))


# Key Vault: a secret that does not exist; a value is missing, or a secret would stay.


async def _vault(world: World, who: str, method: str, path: str, body: object = None) -> str:
    answer = await world.http.request(
        method,
        f"https://kv-agents-{world.environment}.vault.{world.suffix}/secrets{path}",
        params={"api-version": "7.4"},
        headers=bearer(await world.token(who, f"https://vault.{world.suffix}")),
        json=body,
    )
    return verdict(answer, 403, "ForbiddenByRbac")


@operation("vault.get", "Key Vault: read a secret")
async def _get_secret(world: World, who: str) -> str:
    return await _vault(world, who, "GET", "/absent")


@operation("vault.list", "Key Vault: list the names of secrets")
async def _list_secrets(world: World, who: str) -> str:
    return await _vault(world, who, "GET", "")


@operation("vault.set", "Key Vault: set a secret")
async def _set_secret(world: World, who: str) -> str:
    return await _vault(world, who, "PUT", "/absent", {})


@operation("vault.delete", "Key Vault: delete a secret")
async def _delete_secret(world: World, who: str) -> str:
    return await _vault(world, who, "DELETE", "/absent")


# Storage: queues and dead letters.


async def _storage(world: World, who: str, service: str, method: str, path: str) -> str:
    """`path` with its query; what is sent is a message or a block."""
    headers = bearer(await world.token(who, "https://storage.azure.com")) | {"x-ms-version": "2021-12-02"}
    answer = await world.http.request(
        method,
        f"https://{world.storage}.{service}.storage.{world.suffix}/{path}",
        headers=headers,
        content=_MESSAGE if method in {"POST", "PUT"} else None,
    )
    return verdict(answer, 403, "AuthorizationPermissionMismatch")


_MESSAGE = b"<QueueMessage><MessageText>cHJvYmU=</MessageText></QueueMessage>"
#: A message that is put is invisible until its last second: no consumer sees it.
_ON_MESSAGES = {
    "peek": ("look at messages", "GET", "messages?peekonly=true"),
    "get": ("take messages", "GET", "messages?visibilitytimeout=1"),
    "delete": ("delete messages", "DELETE", "messages/absent?popreceipt=AAAA"),
    "put": (
        "put messages",
        "POST",
        f"messages?visibilitytimeout={_SECONDS}&messagettl={_SECONDS + 1}",
    ),
}
#: The block is of no blob: nothing that would have to be kept.
_ON_LETTERS = {
    "list": ("list the blobs", "GET", "?restype=container&comp=list&maxresults=1"),
    "read": ("read a blob", "GET", "/absent"),
    "write": ("write a blob", "PUT", "/privileges?comp=block&blockid=cHJvYmU%3D"),
    "delete": ("delete a blob (immutable while it is kept)", "DELETE", "/absent"),
}


def _on_storage(service: str, method: str, path: str) -> Ask:
    async def ask(world: World, who: str) -> str:
        return await _storage(world, who, service, method, path)

    return ask


for _agent in AGENTS:
    for _kind, (_does, _method, _path) in _ON_MESSAGES.items():
        _ask = _on_storage("queue", _method, f"{_agent}/{_path}")
        register(f"queue.{_agent}.{_kind}", f"Queue `{_agent}`: {_does}", _ask)
    _ask = _on_storage("queue", "GET", f"{_agent}?comp=metadata")
    register(f"queue.{_agent}.properties", f"Queue `{_agent}`: read how many messages wait", _ask)
register("queue.list", "Storage: list the queues", _on_storage("queue", "GET", "?comp=list"))
for _kind, (_does, _method, _path) in _ON_LETTERS.items():
    _ask = _on_storage("blob", _method, f"dead-letters{_path}")
    register(f"deadletters.{_kind}", f"Dead letters: {_does}", _ask)


# Event Grid, Azure OpenAI.


@operation("events.publish", "Event Grid: publish to the topic")
async def _publish(world: World, who: str) -> str:
    token = await world.token(who, "https://eventgrid.azure.net")
    media = "application/cloudevents-batch+json; charset=utf-8"
    answer = await world.http.post(
        world.topic,
        params={"api-version": "2018-01-01"},
        headers={**bearer(token), "content-type": media},
        content=b"[]",
    )
    return verdict(answer, 401, "does not have permission to send data")


@operation("openai.chat", "Azure OpenAI: chat with the model")
async def _chat(world: World, who: str) -> str:
    token = await world.token(who, "https://cognitiveservices.azure.com")
    body = {
        "model": "gpt-5.4-mini",
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 1,
    }
    answer = await world.http.post(
        f"https://oai-agents-{world.environment}.openai.{world.suffix}/openai/v1/chat/completions",
        headers=bearer(token),
        json=body,
    )
    if answer.status_code == 429:
        # Rates are looked at after rights.
        return ALLOWED
    return verdict(answer, 403, "PermissionDenied")


# The registry: an Entra token, exchanged for one that holds what the roles give.


async def _registry_token(world: World, who: str, scope: str) -> httpx.Response:
    host = f"acragents{world.environment}.azurecr.{world.suffix}"
    form = {"service": host, "tenant": world.env["AZURE_TENANT_ID"]}
    token = await world.token(who, world.manager)
    answer = await world.http.post(
        f"https://{host}/oauth2/exchange",
        data={**form, "grant_type": "access_token", "access_token": token},
    )
    if answer.status_code != 200:
        return answer
    shown = {**form, "grant_type": "refresh_token", "scope": scope, **answer.json()}
    return await world.http.post(f"https://{host}/oauth2/token", data=shown)


async def _registry(world: World, who: str, action: str, method: str, path: str) -> str:
    granted = await _registry_token(world, who, f"repository:agents-api-notification:{action}")
    if granted.status_code != 200:
        return verdict(granted, 401, "no role on this registry")
    host = f"acragents{world.environment}.azurecr.{world.suffix}"
    answer = await world.http.request(
        method,
        f"https://{host}/v2/agents-api-notification/{path}",
        headers=bearer(granted.json()["access_token"]),
    )
    if method == "POST" and answer.status_code == 202:
        # The upload that was begun.
        upload = httpx.URL(f"https://{host}").join(answer.headers["location"])
        await world.http.delete(upload, headers=bearer(granted.json()["access_token"]))
    # A token that holds less than was asked for.
    return verdict(answer, 401, "authentication required")


@operation("registry.pull", "Container registry: pull an image")
async def _pull(world: World, who: str) -> str:
    return await _registry(world, who, "pull", "GET", "tags/list")


@operation("registry.push", "Container registry: push an image")
async def _push(world: World, who: str) -> str:
    return await _registry(world, who, "pull,push", "POST", "blobs/uploads/")

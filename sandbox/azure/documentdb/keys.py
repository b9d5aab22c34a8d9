"""Account keys: computed, never stored; a regenerated one is the next of its row."""

from __future__ import annotations

import base64
import hashlib
import hmac
from email.utils import parsedate_to_datetime
from typing import Any

from sandbox.arm.errors import ArmError, bad_request
from sandbox.arm.resource import Resource
from sandbox.azure.sealing import seal
from sandbox.config import Config

KINDS = ("primary", "secondary", "primaryReadonly", "secondaryReadonly")
#: Where an account's body remembers how often each key was regenerated; never shown.
GENERATIONS = "keyGenerations"
_READS = frozenset({"GET", "HEAD"})
#: Seconds a signed request's date may be off. Source: Cosmos DB, "Access control in the REST API".
_SKEW = 15 * 60


def local_auth(account: Resource) -> bool:
    return not account.properties.get("disableLocalAuth")


def require_local_auth(account: Resource) -> None:
    """Raise ArmError 403 when the account has no keys to give."""
    if not local_auth(account):
        raise ArmError(
            403,
            "Forbidden",
            f"Local authorization is disabled on the account '{account.id.name}' (disableLocalAuth): it has "
            "no usable keys. Use Microsoft Entra ID and a data-plane role.",
        )


def key(config: Config, account: Resource, kind: str) -> str:
    generation = account.body.get(GENERATIONS, {}).get(kind, 0)
    context = f"documentdb/{account.properties['instanceId']}/{kind}/{generation}"
    return base64.b64encode(seal(config.state).derive(context)).decode()


def listed(config: Config, account: Resource, kinds: tuple[str, ...] = KINDS) -> dict[str, str]:
    """`primaryMasterKey`, … by the names `listKeys` gives them."""
    require_local_auth(account)
    return {f"{kind}MasterKey": key(config, account, kind) for kind in kinds}


def regenerate(account: Resource, kind: object) -> None:
    """Count the key up; the caller stores the resource."""
    if kind not in KINDS:
        raise bad_request("BadRequest", f"The key kind '{kind}' is not one of {', '.join(KINDS)}.", "keyKind")
    generations = account.body.setdefault(GENERATIONS, {})
    generations[kind] = generations.get(kind, 0) + 1


def connection_strings(config: Config, account: Resource) -> dict[str, Any]:
    endpoint = account.properties["documentEndpoint"]
    titles = {
        "primary": "Primary SQL Connection String",
        "secondary": "Secondary SQL Connection String",
        "primaryReadonly": "Primary Read-Only SQL Connection String",
        "secondaryReadonly": "Secondary Read-Only SQL Connection String",
    }
    require_local_auth(account)
    return {
        "connectionStrings": [
            {
                "connectionString": f"AccountEndpoint={endpoint};AccountKey={key(config, account, kind)};",
                "description": title,
                "keyKind": kind[0].upper() + kind[1:],
                "type": "Sql",
            }
            for kind, title in titles.items()
        ]
    }


def signed(
    config: Config, account: Resource, *, method: str, link: str, kind: str, date: str, signature: str
) -> bool:
    """Whether a request is signed with one of the keys; read-only keys sign reads alone.

    `link` is the resource's id-based link without slashes at its ends, `kind` its type (`docs`, `colls`, …).
    """
    text = f"{method.lower()}\n{kind.lower()}\n{link}\n{date.lower()}\n\n".encode()
    kinds = KINDS if method in _READS else KINDS[:2]
    return any(
        hmac.compare_digest(
            base64.b64encode(
                hmac.digest(base64.b64decode(key(config, account, one)), text, hashlib.sha256)
            ).decode(),
            signature,
        )
        for one in kinds
    )


def fresh(date: str, now: float) -> bool:
    try:
        return abs(parsedate_to_datetime(date).timestamp() - now) <= _SKEW
    except ValueError:
        return False

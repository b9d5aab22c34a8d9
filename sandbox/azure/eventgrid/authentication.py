"""Who may publish to a topic: an Entra token with the data action, or a key where local auth is on.

Sources: https://learn.microsoft.com/azure/event-grid/authenticate-with-microsoft-entra-id and
https://learn.microsoft.com/azure/event-grid/authenticate-with-access-keys-shared-access-signatures. A
principal without the role is answered 401, as the service answers it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.requests import Request

from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Resource
from sandbox.azure.account_keys import account_keys
from sandbox.azure.dataplane import bearer, host
from sandbox.azure.eventgrid import naming
from sandbox.azure.eventgrid.errors import EventGridError, unauthorized
from sandbox.services import Services

SEND = "Microsoft.EventGrid/events/send/action"
#: What clients ask tokens for: the service's URL and its application's id.
_AUDIENCES = ("https://eventgrid.azure.net", "4962773b-9cdb-44cf-a8bf-237846a00ab7")
_EXPIRY_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S")


def authenticate(services: Services, topic: Resource, request: Request) -> None:
    """Raises EventGridError 401 unless the request may publish."""
    token = bearer(request)
    if token is not None:
        _by_token(services, topic, request, token)
        return
    key = request.headers.get("aeg-sas-key") or request.query_params.get("aeg-sas-key")
    signature = request.headers.get("aeg-sas-token") or _signature(request)
    if key is None and signature is None:
        raise unauthorized(
            "Request must contain one of the following authorization signature: aeg-sas-token, aeg-sas-key."
        )
    if topic.properties.get("disableLocalAuth"):
        raise unauthorized(
            "Local authentication (access key, shared access signature) is disabled for "
            f"{topic.id.text}. Use Microsoft Entra ID."
        )
    keys = [account_keys(services.config.state).get(topic, slot) for slot in (1, 2)]
    if key is not None:
        _by_key(keys, key, host(request))
    else:
        _by_signature(keys, signature or "", request)


def _by_token(services: Services, topic: Resource, request: Request, token: str) -> None:
    audiences = (*_AUDIENCES, f"https://{naming.domain(services.names)}", f"https://{host(request)}")
    try:
        principal = services.tokens.verify(token, audiences)
    except ArmError as error:
        raise unauthorized(f"The access token presented is invalid. {error.message}") from error
    if not services.rbac.allows(principal.object_id, SEND, topic.id.text, data=True):
        raise unauthorized(
            "The principal associated with access token presented with the incoming request does not have "
            f"permission to send data to {topic.id.text}."
        )


def _signature(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "sharedaccesssignature" else None


def _by_key(keys: list[str], sent: str, asked: str) -> None:
    if not any(hmac.compare_digest(key.encode(), sent.encode()) for key in keys):
        raise _not_authorized("key", asked, "The key is not one of the topic's access keys")


def _by_signature(keys: list[str], sent: str, request: Request) -> None:
    """`r=RESOURCE&e=EXPIRY&s=SIGNATURE`: the signature covers what precedes it, as it is sent."""
    signed, _, _ = sent.partition("&s=")
    fields = {name: values[0] for name, values in parse_qs(sent).items()}
    asked = host(request)
    made = [hmac.digest(base64.b64decode(key), signed.encode(), hashlib.sha256) for key in keys]
    signature = fields.get("s", "").encode()
    if not any(hmac.compare_digest(base64.b64encode(one), signature) for one in made):
        raise _not_authorized("signature", asked, "The signature was not made with one of the topic's keys")
    if not f"https://{asked}{request.url.path}".startswith(fields.get("r", " ").partition("?")[0].lower()):
        raise _not_authorized("signature", asked, f"It is for the resource '{fields.get('r')}'")
    expires = _expiry(fields.get("e", ""))
    if expires is None or expires <= datetime.now(UTC):
        raise _not_authorized("signature", asked, f"It is valid until '{fields.get('e')}'")


def _expiry(text: str) -> datetime | None:
    """Signatures carry times as their makers' platforms print them; without a zone they are UTC."""
    found: datetime | None = None
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
    for form in _EXPIRY_FORMATS if found is None else ():
        with suppress(ValueError):
            found = datetime.strptime(text, form)  # noqa: DTZ007  (the zone follows)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _not_authorized(what: str, asked: str, why: str) -> EventGridError:
    return unauthorized(
        f"The request authorization {what} is not authorized for {asked.upper()}. This is due to the reason: "
        f"{why}."
    )

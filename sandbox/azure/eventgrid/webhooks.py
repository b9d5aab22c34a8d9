"""Webhook endpoints: the client that reaches them, and the handshake in which they agree to be called.

Sources: https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema and
https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema. Of the latter
only the synchronous handshake exists here: an endpoint that wants to be confirmed by hand is refused.
"""

from __future__ import annotations

import ssl
import uuid
from datetime import UTC, datetime

import httpx

from sandbox.arm.errors import ArmError
from sandbox.azure.eventgrid import schedule
from sandbox.azure.eventgrid.formats import CLOUD_EVENTS
from sandbox.config import Config


def webhook_client(config: Config) -> httpx.AsyncClient:
    """Trusts what the sandbox's users trust: the public authorities and the sandbox's own."""
    bundle = config.ca_bundle
    context = ssl.create_default_context(cafile=str(bundle) if bundle.exists() else None)
    return httpx.AsyncClient(verify=context, timeout=schedule.RESPONSE, trust_env=False)


async def shake_hands(client: httpx.AsyncClient, url: str, *, schema: str, topic: str, origin: str) -> None:
    """Raises ArmError when the endpoint does not agree. `topic` is the topic's id."""
    try:
        if schema == CLOUD_EVENTS:
            await _ask_origin(client, url, origin)
        else:
            await _ask_code(client, url, topic)
    except httpx.HTTPError as error:
        raise _refused(url, f"{type(error).__name__}: {error}") from error


async def _ask_origin(client: httpx.AsyncClient, url: str, origin: str) -> None:
    answer = await client.options(url, headers={"WebHook-Request-Origin": origin})
    allowed = answer.headers.get("WebHook-Allowed-Origin", "").strip()
    if answer.is_error or allowed not in ("*", origin):
        raise _refused(
            url,
            f"it answered {answer.status_code} and WebHook-Allowed-Origin '{allowed}', not '{origin}' or '*'",
        )


async def _ask_code(client: httpx.AsyncClient, url: str, topic: str) -> None:
    code = str(uuid.uuid4()).upper()
    event = {
        "id": str(uuid.uuid4()),
        "topic": topic,
        "subject": "",
        "data": {"validationCode": code},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    answer = await client.post(url, json=[event], headers={"aeg-event-type": "SubscriptionValidation"})
    try:
        echoed = answer.json().get("validationResponse")
    except (ValueError, AttributeError):
        echoed = None
    if answer.status_code != 200 or str(echoed).upper() != code:
        raise _refused(url, f"it answered {answer.status_code} without the validation code")


def _refused(url: str, why: str) -> ArmError:
    shown = url.partition("?")[0]
    return ArmError(
        400,
        "URL validation",
        f"The attempt to validate the provided endpoint {shown} failed: {why}. For more details, visit "
        "https://aka.ms/esvalidation.",
        "properties.destination",
    )

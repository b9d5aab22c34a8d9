"""The first identity: the service principal that `pulumi` and `az` act as, Owner of the subscription.

Its ids are fixed, its secret is random and lies in `deployer.json` in the state folder, readable by the
invoking user only.
"""

from __future__ import annotations

import json
import os
import secrets
import time
import uuid
from pathlib import Path

from sandbox.arm.ids import parse_id
from sandbox.arm.rbac import ASSIGNMENT_TYPE, DEFINITION_TYPE
from sandbox.arm.resource import Resource
from sandbox.arm.store import timestamp
from sandbox.config import SUBSCRIPTION_ID, TENANT_ID, Config, invoking_user
from sandbox.entra.principals import APPLICATION, Directory
from sandbox.services import Store

_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
OBJECT_ID = str(uuid.uuid5(uuid.UUID(TENANT_ID), "deployer object"))
CLIENT_ID = str(uuid.uuid5(uuid.UUID(TENANT_ID), "deployer client"))


def seed(config: Config, store: Store, directory: Directory) -> None:
    """Make the subscription, the deployer and its assignment, unless they are there. Repeatable."""
    now = time.time()
    subscription = parse_id(f"/subscriptions/{SUBSCRIPTION_ID}")
    if store.get(subscription) is None:
        body = {"displayName": "Agents Sandbox"}
        store.save(Resource(subscription, body, now, now))
        assignment = _owner(subscription.text, now)
        store.save(assignment)
    directory.register(OBJECT_ID, CLIENT_ID, "agents-deployer", APPLICATION)
    path = config.state / "deployer.json"
    # Letters and digits, so that no command line takes it for an option.
    secret = _known_secret(path) or secrets.token_hex(32)
    principal = directory.get(OBJECT_ID)
    if principal is None or not principal.has_secret(secret):
        directory.set_secret(OBJECT_ID, secret)
    _write(path, secret)


def _owner(subscription: str, now: float) -> Resource:
    name = uuid.uuid5(uuid.UUID(SUBSCRIPTION_ID), f"{OBJECT_ID} {_OWNER}")
    properties = {
        "roleDefinitionId": f"{subscription}/providers/{DEFINITION_TYPE}/{_OWNER}",
        "principalId": OBJECT_ID,
        "principalType": "ServicePrincipal",
        "scope": subscription,
        "condition": None,
        "conditionVersion": None,
        "createdOn": timestamp(now),
        "updatedOn": timestamp(now),
        "createdBy": OBJECT_ID,
        "updatedBy": OBJECT_ID,
        "delegatedManagedIdentityResourceId": None,
        "description": None,
    }
    return Resource(
        parse_id(f"{subscription}/providers/{ASSIGNMENT_TYPE}/{name}"), {"properties": properties}, now, now
    )


def _known_secret(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text())["clientSecret"])
    except (OSError, ValueError, KeyError, TypeError):
        # Missing or damaged: a new secret is made, and `sandbox env` hands it out.
        return None


def _write(path: Path, secret: str) -> None:
    """Whole or not at all."""
    content = {
        "tenantId": TENANT_ID,
        "subscriptionId": SUBSCRIPTION_ID,
        "clientId": CLIENT_ID,
        "objectId": OBJECT_ID,
        "clientSecret": secret,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(content, indent=2) + "\n")
    if os.geteuid() == 0:
        os.chown(part, invoking_user().pw_uid, invoking_user().pw_gid)
    part.replace(path)

"""Questions to Resource Manager that no resource of Pulumi answers, as whoever deploys."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError

import pulumi
from pulumi_azure_native import authorization

from infra.cloud import Cloud

#: A path below the subscription and the version of its API -> what is there, or None.
Read = Callable[[str, str], dict[str, Any] | None]


def reader(cloud: Cloud) -> Read:
    """Reads in the subscription that is deployed to; waits for the answer, so only before resources."""
    where = authorization.get_client_config().subscription_id
    bearer = authorization.get_client_token().token

    def read_below(path: str, version: str) -> dict[str, Any] | None:
        return read(f"{cloud.resource_manager}/subscriptions/{where}/{path}?api-version={version}", bearer)

    return read_below


def read(url: str, bearer: str) -> dict[str, Any] | None:
    """What is there; None when it is not, or not for these eyes. Raises RunError when there is no answer."""
    # Resource Manager is https in every cloud.
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        if error.code in {401, 403, 404}:
            return None
        raise pulumi.RunError(f"{url} answered {error.code} {error.reason}") from None
    except (URLError, TimeoutError, ValueError) as error:
        raise pulumi.RunError(f"{url} does not answer: {error}") from None
    return found

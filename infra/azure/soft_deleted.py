"""Names that soft delete still holds: what was deleted under them is recovered instead of refused."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from urllib.error import HTTPError, URLError

import pulumi
from pulumi_azure_native import authorization

from infra.cloud import Cloud


def is_soft_deleted(cloud: Cloud, path: pulumi.Input[str], api_version: str) -> pulumi.Output[bool]:
    """Whether Resource Manager knows a deleted resource at `path` (below the subscription).

    Whoever deploys may lack the right to look (it is the subscription's, not the group's). Then no: the name,
    if it is taken, is refused by Azure, which says so.
    """
    subscription = authorization.get_client_config_output().subscription_id
    token = authorization.get_client_token_output().token

    def look(known: Sequence[str]) -> bool:
        where, below, bearer = known
        url = f"{cloud.resource_manager}/subscriptions/{where}/{below}?api-version={api_version}"
        return _exists(url, bearer)

    return pulumi.Output.all(subscription, path, token).apply(look)


def _exists(url: str, bearer: str) -> bool:
    # Resource Manager is https in every cloud.
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            json.load(answer)
    except HTTPError as error:
        if error.code in {401, 403, 404}:
            return False
        raise pulumi.RunError(f"{url} answered {error.code} {error.reason}") from None
    except (URLError, TimeoutError, ValueError) as error:
        raise pulumi.RunError(f"{url} does not answer: {error}") from None
    return True

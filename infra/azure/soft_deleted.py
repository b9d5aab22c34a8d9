"""Names that soft delete still holds: what was deleted under them is recovered instead of refused."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import authorization

from infra.azure.resource_manager import read
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
        return read(url, bearer) is not None

    return pulumi.Output.all(subscription, path, token).apply(look)

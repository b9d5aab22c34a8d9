"""Questions to Resource Manager that no resource of Pulumi answers, as whoever deploys."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError, URLError

import pulumi


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

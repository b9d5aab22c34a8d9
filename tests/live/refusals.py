"""What a refusal looks like on each plane."""

from __future__ import annotations

import httpx

from tests.planes import PLANES


def refusal(plane: str, answer: httpx.Response) -> str | None:
    """What is wrong with a refusal; None when it is one in its service's shape."""
    text = answer.text
    if not 400 <= answer.status_code < 500:
        return f"{answer.status_code}: {text[:200]}"
    if "Traceback" in text or ".py" in text:
        return f"shows its insides: {text[:200]}"
    # The ingress controller answers for agents what is longer than it lets through, as on Azure.
    if plane == "agent" and answer.status_code == 413:
        return None
    wrong = PLANES[plane].shape(answer)
    return wrong and f"{answer.status_code} in the wrong shape, {wrong}: {text[:200]}"

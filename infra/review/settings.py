"""Which settings of a stack a change touches, key by key."""

from __future__ import annotations

from typing import Any

import yaml

from infra.review.compare import Difference, differences
from infra.review.plan import MISSING

#: How a stack's secrets are kept: that they change is news, their values are noise.
_KEEPING = ("encryptionsalt", "encryptedkey", "secretsprovider")


def settings_changes(before: str | None, after: str | None) -> list[Difference]:
    """Differences between two texts of a `Pulumi.<stack>.yaml`; secrets are never shown."""
    old, new = _settings(before), _settings(after)
    return [_hidden(difference) for difference in differences(old, new)]


def _settings(text: str | None) -> dict[str, Any]:
    document = yaml.safe_load(text or "") or {}
    config = document.pop("config", None) or {}
    return {**document, **config}


def _hidden(difference: Difference) -> Difference:
    path = difference.path.removesuffix(".secure")
    if path == difference.path and path not in _KEEPING:
        return difference
    before, after = difference.before, difference.after
    changed = "[another secret]" if before is not MISSING and path not in _KEEPING else "[changed]"
    return Difference(
        path,
        MISSING if before is MISSING else "[secret]",
        MISSING if after is MISSING else "[secret]" if before is MISSING else changed,
    )

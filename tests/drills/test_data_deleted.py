"""The settings that a refusal names are taken as they are printed."""

from __future__ import annotations

import pytest

from drills.disasters.data_deleted import named

REFUSAL = """
  - account cosmos-agents-dev (8f3c1a52) is gone: it was deleted at 2026-11-28T10:00:00Z
    To have its data back, in a copy that agents then use:
      agents:restores:
        - as_of: "2026-11-28T09:59:59Z"
          services: [cosmos]
    where the account can be restored to 2026-11-27T10:00:00Z up to 2026-11-28T10:00:00Z
    To begin empty instead:
      agents:begin_empty:
        - 8f3c1a52
"""


def test_the_entry_is_read() -> None:
    assert named(REFUSAL) == [{"as_of": "2026-11-28T09:59:59Z", "services": ["cosmos"]}]


def test_another_failure_is_no_refusal() -> None:
    with pytest.raises(RuntimeError, match="named no settings"):
        named("error: the cloud is away")

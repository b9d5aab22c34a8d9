"""`agents:backup`, and where a backup may be."""

from __future__ import annotations

from typing import Any

import pytest

from infra.settings import SettingsError, parse

_BACKUP = {"role": "backup", "source": "prod"}


def test_the_backup_of_prod_is_in_its_paired_region_and_like_prod_else() -> None:
    found = parse(_BACKUP, "prod-backup")
    assert (found.location, found.source, found.protect) == ("northeurope", "prod", True)
    assert found.backup.interval_minutes == 15
    assert found.vault.purge_protection


@pytest.mark.parametrize(
    ("backup", "why"),
    [
        ({"interval_minutes": 21}, "agents:backup.interval_minutes is 21"),
        ({"immutable_days": 40}, "retention_days .35. is less than immutable_days .40."),
        ({"soft_delete_days": 7}, "agents:backup.soft_delete_days is 7"),
        ({"channels": ["pager"]}, "agents:backup.channels.0 is 'pager'"),
        ({"interval": 5}, "agents:backup.interval is not a setting"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_with_its_key(backup: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        parse({**_BACKUP, "backup": backup}, "prod-backup")

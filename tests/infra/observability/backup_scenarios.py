"""What becomes of backups, minute by minute, and which alerts must fire when."""

from __future__ import annotations

from tests.infra.observability.scenario import Scenario, Told

_KINDS = ("secrets", "dead-letters", "cosmos", "sql")
_COPIED = ("secrets", "dead-letters")
_MINUTES = 500
_ALL = Told("P1", "pagerduty,teams,email")
_SOME = Told("P2", "teams,email")


def _known(metric: str, kinds: tuple[str, ...], **others: str) -> dict[str, str]:
    """Each kind's moment is that of the evaluation, but for `others` (with underscores for hyphens)."""
    given = {kind.replace("_", "-"): values for kind, values in others.items()}
    fresh = f"0+60x{_MINUTES}"
    found = {kind: given.get(kind, fresh) for kind in kinds}
    return {f'{metric}{{data="{kind}",pod="a"}}': values for kind, values in found.items() if values}


def _newest(**others: str) -> dict[str, str]:
    return _known("backup_newest_timestamp_seconds", _KINDS, **others)


def _validated(**others: str) -> dict[str, str]:
    return _known("backup_validated_timestamp_seconds", _COPIED, **others)


def _failures(values: str) -> dict[str, str]:
    """Two pods, one after the other, each with its own counter."""
    return {
        'backup_failures_total{data="secrets",pod="a"}': values,
        'backup_failures_total{data="secrets",pod="b"}': values,
        'backup_failures_total{data="sql",pod="a"}': "0x120",
    }


def _old(kind: str) -> str:
    return f"The backup of {kind} is old, or nothing tells how old"


def _unlike(kind: str) -> str:
    return f"Copies of {kind} were not found to be like their originals"


SCENARIOS = (
    Scenario("all is fresh", "BackupTooOld", _newest(), {}, _ALL, silent=(30, 200)),
    *(
        Scenario(
            f"{kind} stopped at the start",
            "BackupTooOld",
            _newest(**{kind.replace("-", "_"): f"0x{_MINUTES}"}),
            {"data": kind},
            _ALL,
            # More than an hour old at 61 minutes, and for a quarter of an hour since.
            silent=(60, 75),
            fires=(76,),
            says=_old(kind),
        )
        for kind in _KINDS
    ),
    *(
        Scenario(
            f"nothing is known of {kind}",
            "BackupTooOld",
            _newest(**{kind.replace("-", "_"): ""}),
            {"data": kind},
            _ALL,
            silent=(14,),
            fires=(15,),
            says=_old(kind),
        )
        for kind in _KINDS
    ),
    Scenario(
        "one pod is behind another",
        "BackupTooOld",
        {**_newest(), 'backup_newest_timestamp_seconds{data="secrets",pod="b"}': f"0x{_MINUTES}"},
        {},
        _ALL,
        silent=(200,),
    ),
    Scenario(
        "a second more than an hour",
        "BackupTooOld",
        _newest(secrets=f"-1x{_MINUTES}"),
        {"data": "secrets"},
        _ALL,
        silent=(74,),
        fires=(75,),
        says=_old("secrets"),
    ),
    Scenario(
        "compared a second more than six hours ago",
        "BackupNotValidated",
        _validated(secrets=f"-1x{_MINUTES}"),
        {"data": "secrets"},
        _ALL,
        silent=(374,),
        fires=(375,),
        says=_unlike("secrets"),
    ),
    Scenario("copies are compared", "BackupNotValidated", _validated(), {}, _ALL, silent=(400,)),
    *(
        Scenario(
            f"{kind} are compared no more",
            "BackupNotValidated",
            _validated(**{kind.replace("-", "_"): f"0x{_MINUTES}"}),
            {"data": kind},
            _ALL,
            silent=(360, 375),
            fires=(376,),
            says=_unlike(kind),
        )
        for kind in _COPIED
    ),
    *(
        Scenario(
            f"{kind} were never compared",
            "BackupNotValidated",
            _validated(**{kind.replace("-", "_"): ""}),
            {"data": kind},
            _ALL,
            silent=(14,),
            fires=(15,),
            says=_unlike(kind),
        )
        for kind in _COPIED
    ),
    Scenario(
        "a copy fails now and then",
        "BackupFailing",
        # A failure of each pod, extrapolated a little.
        _failures("0x10 1x110"),
        {},
        _SOME,
        silent=(12, 30, 60),
    ),
    Scenario(
        "every pass fails, at the interval of the settings",
        "BackupFailing",
        {'backup_failures_total{data="secrets",pod="a"}': "0x4 1x14 2x14 3x14 4x14 5x200"},
        {"data": "secrets"},
        _SOME,
        # Passes at minutes 5, 20, 35, 50 and 65, the fourth of which is one too many.
        silent=(34, 49, 160),
        fires=(51, 66, 90),
        says="The backup of secrets fails; the worker's log says why",
    ),
    Scenario(
        "every pass fails, at the longest interval",
        "BackupFailing",
        {'backup_failures_total{data="secrets",pod="a"}': "0x4 1x19 2x19 3x19 4x200"},
        {"data": "secrets"},
        _SOME,
        silent=(44, 64),
        fires=(66, 80),
        says="The backup of secrets fails; the worker's log says why",
    ),
    Scenario(
        "a fourth failure within an hour and a half",
        "BackupFailing",
        {'backup_failures_total{data="secrets",pod="a"}': "0x40 1x2 2x2 3x2 4x70"},
        {"data": "secrets"},
        _SOME,
        # Three until minute 49.
        silent=(40, 49),
        fires=(50,),
        says="The backup of secrets fails; the worker's log says why",
    ),
    Scenario(
        "two pods fail, each a little",
        "BackupFailing",
        _failures("0x40 1x2 2x70"),
        {"data": "secrets"},
        _SOME,
        silent=(43,),
        fires=(44,),
        says="The backup of secrets fails; the worker's log says why",
    ),
)

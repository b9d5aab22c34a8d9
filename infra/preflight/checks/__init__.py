"""The checks, in the order of the report. Each looks at one thing and says what it found."""

from __future__ import annotations

from infra.preflight.checks import (
    account,
    databases,
    deleted,
    kubernetes,
    machines,
    models,
    providers,
    reach,
    rights,
)
from infra.preflight.subject import Check

#: What a check is called where it could not look, and the check.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("subscription", account.subscription),
    ("identity", account.identity),
    ("rights", rights.rights),
    ("providers", providers.registered),
    ("regions", providers.offered),
    ("machine sizes", machines.sizes),
    ("cores", machines.cores),
    ("kubernetes", kubernetes.version),
    ("model", models.model),
    ("cosmos db", databases.cosmos),
    ("sql", databases.sql),
    ("vault's name", deleted.vault),
    ("openai's names", deleted.accounts),
    ("domain", reach.domain),
    ("network", reach.network),
    ("secrets", reach.secrets),
)

"""The checks, in the order of the report. Each looks at one thing and says what it found."""

from __future__ import annotations

from infra.preflight.checks import (
    account,
    copies,
    databases,
    deleted,
    kubernetes,
    machines,
    models,
    providers,
    reach,
    rights,
    source,
)
from infra.preflight.subject import Check
from infra.settings.types import Role

#: Only some stacks have what these look at: a stamp takes databases and a domain over, and a
#: backup runs no machines of its own. Copies are made from a source that is up, a stamp from copies.
_ROLES: dict[str, tuple[Role, ...]] = {
    "machine sizes": ("environment", "recovery"),
    "cores": ("environment", "recovery"),
    "kubernetes": ("environment", "recovery"),
    "model": ("environment", "recovery"),
    "openai's names": ("environment", "recovery"),
    "cosmos db": ("environment",),
    "sql": ("environment",),
    "domain": ("environment",),
    "source": ("backup",),
    "copies: secrets": ("recovery",),
    "copies: state": ("recovery",),
    "copies: images": ("recovery",),
}
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
    ("source", source.up),
    ("copies: secrets", copies.secrets),
    ("copies: state", copies.state),
    ("copies: images", copies.images),
    ("domain", reach.domain),
    ("network", reach.network),
    ("secrets", reach.secrets),
)


def checks_of(role: Role) -> list[tuple[str, Check]]:
    return [(about, check) for about, check in CHECKS if role in _ROLES.get(about, (role,))]

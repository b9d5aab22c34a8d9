"""Which account, and which of its regions, a host name's first label means."""

from __future__ import annotations

from sandbox.arm.resource import Resource
from sandbox.azure.dataplane import find
from sandbox.azure.documentdb import naming
from sandbox.services import Store


def account_at(store: Store, label: str) -> tuple[Resource | None, str | None]:
    """`account` is the account itself, `account-northeurope` its endpoint there; (None, None) is nothing."""
    account = find(store, naming.ACCOUNT, label)
    if account is not None:
        return account, None
    for candidate in store.list(type=naming.ACCOUNT):
        for place in naming.locations(candidate):
            if label == f"{candidate.id.name.lower()}-{naming.region(place)}":
                return candidate, place
    return None, None

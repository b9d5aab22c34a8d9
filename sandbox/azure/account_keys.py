"""Access keys of accounts (storage, Azure OpenAI): derived from the sandbox's seal, never stored.

What is stored is how often each was regenerated. Keys belong to an account's id and its creation time, so an
account made anew has new ones.
"""

from __future__ import annotations

import base64
import sqlite3
import threading
from functools import cache
from pathlib import Path

from sandbox.arm.resource import Resource
from sandbox.azure.sealing import Seal, seal


class AccountKeys:
    def __init__(self, path: Path, sealed: Seal) -> None:
        self._seal = sealed
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS generations (account TEXT NOT NULL, slot INTEGER NOT NULL, "
            "generation INTEGER NOT NULL, PRIMARY KEY (account, slot)) WITHOUT ROWID"
        )

    def get(self, account: Resource, slot: int) -> str:
        """Key number `slot` (1 or 2): 64 bytes in base64, as storage accounts have them."""
        context = f"account-key/{_identity(account)}/{slot}/{self._generation(account, slot)}"
        return base64.b64encode(self._seal.derive(context)).decode()

    def regenerate(self, account: Resource, slot: int) -> None:
        with self._lock:
            self._db.execute(
                "INSERT INTO generations VALUES (?, ?, 1) "
                "ON CONFLICT (account, slot) DO UPDATE SET generation = generation + 1",
                (_identity(account), slot),
            )

    def _generation(self, account: Resource, slot: int) -> int:
        with self._lock:
            row = self._db.execute(
                "SELECT generation FROM generations WHERE account = ? AND slot = ?",
                (_identity(account), slot),
            ).fetchone()
        return int(row[0]) if row else 0


def _identity(account: Resource) -> str:
    return f"{account.id.key}@{account.created_at}"


@cache
def account_keys(state: Path) -> AccountKeys:
    """The keys of the sandbox whose state lies there."""
    return AccountKeys(state / "account-keys.db", seal(state))

"""Damage that only the application's own rights can do: run in an agent's pod, as a faulty release would."""

from __future__ import annotations

from drills.journal import Sentinel
from drills.shell import Shell
from infra.naming import workload

_PROLOGUE = """
import asyncio, sys, uuid
from app.credentials import blocking_credential, credential
from app.settings import Settings
from app.store.database import make_engine
from app.store.documents import Cosmos
from app.store.tables import AGENT_EXECUTIONS as TABLE
agent, name = sys.argv[1:]
settings = Settings()

async def change(**changes):
    identity = credential()
    cosmos = Cosmos(settings.cosmos, identity)
    documents = cosmos.documents(settings.cosmos.container)
    await documents.upsert({**await documents.read(agent, name), **changes})
    await cosmos.close()
    await identity.close()

"""
_OVERWRITE = """
asyncio.run(change(output={"subject": "overwritten", "body": "overwritten", "tone": "urgent"}))
with make_engine(settings.sql, blocking_credential()).begin() as connection:
    mine = TABLE.c.Id == uuid.UUID(name)
    connection.execute(TABLE.update().where(mine).values(PromptTokens=0))
"""
_EXPIRE = """
asyncio.run(change(ttl=1))
"""


def overwrite(shell: Shell, namespace: str, sentinel: Sentinel) -> None:
    """Alter its execution and its row. Raises CommandError."""
    _run(shell, namespace, sentinel, _OVERWRITE)


def expire(shell: Shell, namespace: str, sentinel: Sentinel) -> None:
    """Have its execution gone within seconds: nobody may delete one, but to write a time to live suffices."""
    _run(shell, namespace, sentinel, _EXPIRE)


def _run(shell: Shell, namespace: str, sentinel: Sentinel, what: str) -> None:
    pod = ("-n", namespace, f"deploy/{workload(sentinel.agent)}")
    shell.kubectl("exec", *pod, "--", "python", "-c", _PROLOGUE + what, sentinel.agent, sentinel.id)

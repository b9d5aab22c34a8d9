"""The SQL database: Azure SQL, or PostgreSQL where it stands in. Logins are tokens, never passwords."""

from __future__ import annotations

import asyncio
import ssl
import struct
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from app.dependency import DependencyError, from_azure
from app.settings import SqlSettings
from app.store.tables import AGENT_EXECUTIONS

# https://learn.microsoft.com/sql/connect/odbc/using-azure-active-directory#authenticating-with-an-access-token
_ACCESS_TOKEN = 1256
_CONNECT_SECONDS = 4
# Less than a token lives: who lost the right to log in is out by then.
_RECYCLE_SECONDS = 1800


def make_engine(settings: SqlSettings, credential: TokenCredential) -> Engine:
    """Connections that are encrypted, to a server whose certificate is checked, as the token's identity."""
    engine = create_engine(
        _url(settings),
        connect_args=_arguments(settings),
        pool_size=2,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
    )
    scope = f"{settings.audience.rstrip('/')}/.default"

    @event.listens_for(engine, "do_connect")
    def log_in(_dialect: Any, _record: Any, _arguments: Any, keywords: dict[str, Any]) -> None:
        token = credential.get_token(scope).token
        if settings.dialect == "postgresql":
            keywords["password"] = token
        else:
            keywords["attrs_before"] = {_ACCESS_TOKEN: _packed(token)}

    return engine


def _url(settings: SqlSettings) -> URL:
    if settings.dialect == "postgresql":
        return URL.create(
            "postgresql+psycopg", settings.user, None, settings.server, settings.port, settings.database
        )
    return URL.create(
        "mssql+mssqlpython",
        host=settings.server,
        port=settings.port or 1433,
        database=settings.database,
        query={"Encrypt": "yes", "TrustServerCertificate": "no"},
    )


def _arguments(settings: SqlSettings) -> dict[str, Any]:
    if settings.dialect == "mssql":
        return {"timeout": _CONNECT_SECONDS}
    paths = ssl.get_default_verify_paths()
    return {
        "connect_timeout": _CONNECT_SECONDS,
        "sslmode": "verify-full",
        # The driver's own OpenSSL does not know where the system keeps its authorities.
        "sslrootcert": paths.cafile or paths.openssl_cafile,
    }


def _packed(token: str) -> bytes:
    """A token as the driver wants it: its length, then UTF-16."""
    text = token.encode("utf-16-le")
    return struct.pack(f"<I{len(text)}s", len(text), text)


def reason(error: SQLAlchemyError) -> str:
    """What the driver says, without the statement and its parameters."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]


class Database:
    name = "sql"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def check(self) -> None:
        """Read from the table of executions as this identity. Raises DependencyError."""
        # One of the two drivers is synchronous only.
        await asyncio.to_thread(self._check)

    def _check(self) -> None:
        try:
            with self._engine.connect() as connection:
                connection.execute(select(AGENT_EXECUTIONS.c.Id).limit(1))
        except AzureError as error:
            raise from_azure(error) from error
        except SQLAlchemyError as error:
            raise DependencyError(reason(error)) from error

    async def close(self) -> None:
        await asyncio.to_thread(self._engine.dispose)

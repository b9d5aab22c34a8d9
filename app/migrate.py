"""`python -m app.migrate`: bring the SQL database to today's schema and let in the agents, nobody else.

Runs before the agents do, as the one identity that may change the schema; running it again changes nothing.
Exit code 1 is worth another try, 2 is not. `--sql` prints the script instead, for those who let only a
database administrator run one.
"""

from __future__ import annotations

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.credentials import blocking_credential
from app.settings import SqlSettings
from app.store import users
from app.store.database import make_engine
from app.telemetry import logs

log = logging.getLogger("app.migrate")
_SCRIPTS = Path(__file__).parent / "store" / "migrations"


class MigrationSettings(BaseSettings):
    """`Sql__…` as the agents have it; `Sql__User` is here the identity that migrates."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore", frozen=True)

    sql: SqlSettings = Field(alias="Sql")


def migrate(settings: SqlSettings, credential: TokenCredential) -> None:
    """Schema in one transaction, then the users. Raises SQLAlchemyError or AzureError."""
    engine = make_engine(settings, credential)
    try:
        with engine.begin() as connection:
            upgrade(connection)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            users.apply(connection, settings.dialect, settings.users, settings.kept)
    finally:
        engine.dispose()


def upgrade(connection: Connection) -> None:
    """Apply the revisions that this database lacks."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def script(settings: SqlSettings) -> str:
    """The whole migration of an empty database, as SQL of the dialect."""
    config, output = _config(), io.StringIO()
    config.attributes.update(dialect=settings.dialect, output=output)
    command.upgrade(config, "head", sql=True)
    separator = "\nGO\n\n" if settings.dialect == "mssql" else ";\n\n"
    return output.getvalue() + "".join(
        statement + separator
        for statement in users.statements(settings.dialect, settings.users, settings.kept)
    )


def _config() -> Config:
    config = Config()
    # Alembic reads options as an INI file does, where a percent sign means something.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.migrate", description="Migrate the SQL database.")
    parser.add_argument("--sql", action="store_true", help="print the script for an empty database")
    options = parser.parse_args(arguments)
    if not options.sql:
        logs.configure()
    try:
        # pydantic-settings fills the field from the environment, which a type checker cannot see.
        settings = MigrationSettings().sql  # type: ignore[call-arg]
        if options.sql:
            sys.stdout.write(script(settings))
            return 0
        migrate(settings, blocking_credential())
    except ValidationError as error:
        log.error("wrong settings: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    except (SQLAlchemyError, AzureError) as error:
        log.error("cannot migrate: %s", error)  # noqa: TRY400 - as above
        return 1
    log.info("database %s is migrated; users: %s", settings.database, ", ".join(settings.users) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main())

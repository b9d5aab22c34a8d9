"""Alembic's entry: on the connection that it is handed, or (offline) as a script of a dialect."""

from __future__ import annotations

from alembic import context

from app.store.tables import metadata

config = context.config
connection = config.attributes.get("connection")

if connection is None:
    context.configure(
        dialect_name=config.attributes["dialect"],
        target_metadata=metadata,
        output_buffer=config.attributes["output"],
    )
else:
    context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

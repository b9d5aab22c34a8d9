"""The way of a database's schema from nothing to today, one revision a file, for Alembic."""

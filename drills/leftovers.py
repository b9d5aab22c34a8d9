"""Copies that a restore left in Azure: no longer in the settings, and of no use to anybody."""

from __future__ import annotations

import re

from drills.stack import Stack

_MOMENT = re.compile(r"-\d{14}$")


def remove_copies(stack: Stack) -> None:
    """Delete restored accounts and databases that agents do not use. Raises CommandError."""
    used, names, shell = stack.used(), stack.names, stack.shell
    group = ("-g", names.resource_group)
    for account in shell.az("cosmosdb", "list", *group):
        if _is_copy(account["name"], names.cosmos) and account["name"] != used["cosmos"]:
            shell.run("az", "cosmosdb", "delete", *group, "-n", account["name"], "--yes", timeout=600)
    server = ("-s", names.sql)
    for database in shell.az("sql", "db", "list", *group, *server):
        if _is_copy(database["name"], "AgentsDB") and database["name"] != used["sql"]:
            shell.run("az", "sql", "db", "delete", *group, *server, "-n", database["name"], "--yes")


def _is_copy(name: str, original: str) -> bool:
    return bool(_MOMENT.search(name)) and _MOMENT.sub("", name) == original

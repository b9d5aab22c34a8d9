"""What one PostgreSQL instance is told: its settings, who may log in, and how its log is archived.

The files lie beside the data, not in it, so that a copy of the data (a backup, a replica) is another
instance's as soon as it is started with that one's files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Bootstraps the instance and is the sandbox's own; never anybody's login.
SUPERUSER = "azure_superuser"
#: Streams to a replica and copies base backups; has no other right.
REPLICATION = "azure_replication"
#: Owns the databases. The server's Entra administrator is its member.
ADMINISTRATORS = "azure_administrators"

#: Seconds until written log is archived although its segment is not full: the most that losing a server's
#: machine loses of its backups. (Azure SQL takes log backups about every ten minutes.)
ARCHIVE_SECONDS = 60
#: MiB per segment of the write-ahead log. Small, because the archive keeps a segment per minute of work.
SEGMENT_MIB = 4


@dataclass(frozen=True)
class Configuration:
    """`socket` is the folder of the unix socket, which is all that the instance listens on; `link` the one in
    which a replica finds its primary's."""

    folder: Path
    data: Path
    socket: Path
    link: Path
    archive: Path

    def files(self) -> dict[str, str]:
        """Name in `folder` -> text."""
        return {
            "postgresql.conf": self._settings(),
            "pg_hba.conf": _HBA,
            "pg_ident.conf": "",
        }

    def _settings(self) -> str:
        settings: dict[str, str | int] = {
            "data_directory": str(self.data),
            "hba_file": str(self.folder / "pg_hba.conf"),
            "ident_file": str(self.folder / "pg_ident.conf"),
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            "max_connections": 200,
            "shared_buffers": "32MB",
            # Lies with the data, so that a kill leaves nothing in /dev/shm.
            "dynamic_shared_memory_type": "mmap",
            "jit": "off",
            "wal_level": "replica",
            "max_wal_senders": 8,
            "wal_keep_size": "64MB",
            "min_wal_size": "32MB",
            "max_wal_size": "256MB",
            "archive_mode": "on",
            "archive_command": self._archive(),
            "archive_timeout": ARCHIVE_SECONDS,
            # Of use to a replica only.
            "primary_conninfo": f"host={self.link} user={REPLICATION}",
            "wal_retrieve_retry_interval": "1s",
            # Silence is no failure: a link may be made to lag.
            "wal_receiver_timeout": 0,
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "log_timezone": "UTC",
            "timezone": "UTC",
            "lc_messages": "C",
        }
        return "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items())

    def _archive(self) -> str:
        """Compressed, and renamed when it is safely on disk: a file there is whole. An archived segment keeps
        the time at which it was last written: what was committed later is not in it, though it may have been
        committed before the segment was archived."""
        place = f'"{self.archive}/%f'
        return (
            f'gzip -1 -n <"%p" >{place}.part" && touch -r "%p" {place}.part" && sync {place}.part" '
            f'&& mv {place}.part" {place}.gz"'
        )


#: The socket lies in a folder that only root (the gateway, which has checked a token by then) and
#: PostgreSQL's own user can look into: who gets there needs no password. (`peer` cannot map root to every
#: role before version 16.)
_HBA = f"""\
local all all trust
local replication {REPLICATION} trust
"""


def quoted(value: str | int) -> str:
    """A setting's value as a configuration file spells it."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def bootstrap() -> str:
    """SQL for a new instance, in single-user mode: one statement a line."""
    return f"""\
ALTER DATABASE postgres RENAME TO master
CREATE ROLE {REPLICATION} LOGIN REPLICATION
CREATE ROLE {ADMINISTRATORS}
ALTER DATABASE master OWNER TO {ADMINISTRATORS}
REVOKE ALL ON DATABASE master FROM PUBLIC
REVOKE ALL ON DATABASE template1 FROM PUBLIC
{_GUARD}
"""


#: Up to version 15 whoever may create roles can grant these, which reach the machine's files and programs;
#: a superuser's role only another superuser can grant.
_GUARD = """\
UPDATE pg_authid SET rolsuper = true WHERE rolname IN \
('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')"""

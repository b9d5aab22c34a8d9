"""Backups as they lie there, proven by PostgreSQL's own recovery to a moment between two writes."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import ResourceNotFoundError

from sandbox.arm.errors import ArmError
from sandbox.arm.store import timestamp
from sandbox.azure.sql import archive, backups, programs, retention
from sandbox.azure.sql.backups import Backup
from tests.sandbox.azure.sql.conftest import DATABASE, GROUP, SERVER, Sql
from tests.waiting import until


def backup(ended: float) -> Backup:
    return Backup(Path(f"/{ended}"), ended - 1, ended, "0")


def test_the_segment_of_a_position() -> None:
    assert backups.segment(1, "0/0") == "000000010000000000000000"
    assert backups.segment(1, "0/2000028") == "000000010000000000000008"
    assert backups.segment(10, "16/B374D848") == "0000000A00000016000002CD"


@pytest.mark.parametrize(
    ("before", "gone"), [(0, []), (5, []), (10, []), (20, [10]), (25, [10]), (40, [10, 20])]
)
def test_the_newest_backup_before_the_window_is_kept(before: float, gone: list[float]) -> None:
    known = [backup(ended) for ended in (30.0, 10.0, 20.0)]
    assert [one.ended for one in backups.superfluous(known, before=before)] == gone


def test_a_new_server_is_backed_up_by_itself(server: Sql) -> None:
    until(lambda: backups.taken(server.instance().backups))
    (first,) = backups.taken(server.instance().backups)
    assert first.began <= first.ended <= time.time()
    shown: Any = server.arm.databases.get(GROUP, SERVER, DATABASE).properties
    database = server.resource(f"{SERVER}/databases/{DATABASE}")
    assert database is not None
    made = database.properties["creationDate"]
    assert shown.earliest_restore_date == max(
        datetime.fromtimestamp(first.ended, UTC), datetime.fromisoformat(made)
    )


def test_log_is_archived_whole_and_compressed(server: Sql) -> None:
    with server.log_in() as connection:
        connection.execute("CREATE TABLE archived AS SELECT generate_series(1, 1000) AS n")
    asyncio.run(_switch(server))
    archive = server.instance().archive
    until(lambda: list(archive.glob("*.gz")))
    segment = max(archive.glob("????????????????????????.gz"))
    assert len(gzip.decompress(segment.read_bytes())) == 4 << 20
    assert segment.stat().st_size < 4 << 20
    assert abs(segment.stat().st_mtime - time.time()) < 120


async def _switch(server: Sql) -> str:
    """End the current segment; its name."""
    async with server.instance().connect() as connection:
        row = await (await connection.execute("SELECT pg_walfile_name(pg_switch_wal())")).fetchone()
    assert row is not None
    return str(row[0])


def test_they_lead_to_any_moment(server: Sql, state: Path) -> None:
    """Recovered by hand: a base backup unpacked, the archive replayed to a time, then asked."""
    until(lambda: backups.taken(server.instance().backups))
    with server.log_in() as connection:
        connection.execute("CREATE TABLE moments (n int)")
        connection.execute("INSERT INTO moments VALUES (1)")
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        moment = row[0]
        connection.execute("INSERT INTO moments VALUES (2)")
        connection.execute("DROP TABLE moments")
    segment = asyncio.run(_switch(server))
    instance = server.instance()
    until((instance.archive / f"{segment}.gz").exists)
    base = max(
        (one for one in backups.taken(instance.backups) if one.ended < moment.timestamp()),
        key=lambda one: one.ended,
    )
    folder = state / "recovered"
    folder.mkdir()
    for name, into in (("base.tar.gz", folder), ("pg_wal.tar.gz", folder / "pg_wal")):
        subprocess.run(["tar", "-xzf", base.folder / name, "-C", into], check=True)
    (folder / "recovery.signal").touch()
    (folder / "postgresql.auto.conf").write_text(
        f"""
restore_command = 'gzip -dc "{instance.archive}/%f.gz" > "%p"'
recovery_target_time = '{moment.isoformat()}'
recovery_target_action = promote
archive_mode = off
"""
    )
    (folder / "hba").write_text("local all all trust\n")
    subprocess.run(["chown", "-R", programs.USER, folder], check=True)
    folder.chmod(0o700)
    process = subprocess.Popen(
        [
            *("setpriv", f"--reuid={programs.USER}", f"--regid={programs.USER}", "--init-groups"),
            *(programs.program("postgres"), "-D", str(folder), "-c", "listen_addresses="),
            *("-c", "max_connections=200"),
            *("-c", f"unix_socket_directories={folder}", "-c", f"hba_file={folder}/hba"),
        ]
    )
    try:
        until(lambda: _moments(folder) is not None)
        assert _moments(folder) == [(1,)]
    finally:
        # Fast shutdown: it waits for no client. What it writes takes its time on a busy disk.
        process.send_signal(signal.SIGINT)
        process.wait(180)
        shutil.rmtree(folder)


def _moments(folder: Path) -> list[tuple[int]] | None:
    """What the recovered database says; None while it recovers."""
    try:
        with psycopg.connect(host=str(folder), user="azure_superuser", dbname=DATABASE) as connection:
            if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                return None
            return connection.execute("SELECT n FROM moments").fetchall()
    except psycopg.OperationalError:
        return None


def test_policy_says_how_long_and_how_often(server: Sql) -> None:
    resource = server.resource(SERVER)
    assert resource is not None
    assert retention.of_server(server.services.store, resource) == (7, 12)
    policies: Any = server.arm.backup_short_term_retention_policies
    assert policies.get(GROUP, SERVER, DATABASE, "default").properties.retention_days == 7
    body = {"properties": {"retentionDays": 14, "diffBackupIntervalInHours": 24}}
    policies.begin_create_or_update(GROUP, SERVER, DATABASE, "default", body, polling_interval=0).result()
    assert retention.of_server(server.services.store, resource) == (14, 24)
    # One database that asks for less does not have the others' forgotten.
    body = {"properties": {"retentionDays": 1}}
    policies.begin_create_or_update(GROUP, SERVER, DATABASE, "default", body, polling_interval=0).result()
    server.make_database("Undemanding")
    assert retention.of_server(server.services.store, resource)[0] == 7
    # A dropped one's are kept as long as it asked.
    body = {"properties": {"retentionDays": 21}}
    policies.begin_create_or_update(
        GROUP, SERVER, "Undemanding", "default", body, polling_interval=0
    ).result()
    server.arm.databases.begin_delete(GROUP, SERVER, "Undemanding", polling_interval=0).result()
    assert retention.of_server(server.services.store, resource)[0] == 21


def test_a_time_without_an_offset_is_utc() -> None:
    assert (
        retention.seconds("1970-01-02T00:00:00") == retention.seconds("1970-01-02T01:00:00+01:00") == 86_400
    )


def test_the_window_is_what_the_policy_keeps(
    server: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = server.resource(f"{SERVER}/databases/{DATABASE}")
    assert database is not None
    now, day = time.time(), 86_400.0
    made = now - 100 * day
    database.properties["creationDate"] = datetime.fromtimestamp(made, UTC).isoformat()
    store = server.services.store
    monkeypatch.setattr(retention, "days", lambda *_: 3)
    assert retention.earliest(store, tmp_path, database) is None
    for ended in (now - 5 * day, now - day):
        monkeypatch.setattr(backups, "taken", lambda _, ended=ended: [backup(ended)])
        earliest = retention.earliest(store, tmp_path, database)
        assert earliest is not None
        assert earliest >= ended
        # What is shown of it, and sent back, is the same moment.
        assert retention.seconds(timestamp(earliest)) == earliest
        assert earliest == pytest.approx(max(ended, now - 3 * day), abs=60)


async def test_what_policy_no_longer_keeps_is_forgotten(server: Sql) -> None:
    instance = server.instance()
    until(lambda: backups.taken(instance.backups))
    await backups.take(instance)
    await _switch(server)
    second = await backups.take(instance)
    before = sorted(path.name for path in instance.archive.glob("*.gz"))
    await backups.prune(instance, before=time.time() + 1)
    assert backups.taken(instance.backups) == [second]
    after = sorted(path.name for path in instance.archive.glob("*.gz"))
    assert all(name[:24] >= second.log_start for name in after)
    assert set(before) - set(after)


async def test_a_backup_that_fails_leaves_nothing(server: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = server.instance()
    known = backups.taken(instance.backups)
    monkeypatch.setattr(backups, "REPLICATION", "nobody")
    with pytest.raises(ArmError, match="pg_basebackup failed"):
        await backups.take(instance)
    assert backups.taken(instance.backups) == known
    assert not list(instance.backups.glob("part*"))


def test_a_database_that_no_backup_has_yet_is_not_recoverable(server: Sql) -> None:
    """It was made after the last base backup, and the log with it is not archived."""
    until(lambda: backups.taken(server.instance().backups))
    asyncio.run(archive.complete(server.instance()))
    server.make_database("Young")
    with pytest.raises(ResourceNotFoundError):
        server.arm.recoverable_databases.get(GROUP, SERVER, "Young")
    asyncio.run(archive.complete(server.instance()))
    assert server.arm.recoverable_databases.get(GROUP, SERVER, "Young").name == "Young"

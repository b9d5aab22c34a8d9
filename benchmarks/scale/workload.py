"""One execution: what it writes, sends and asks for, as app/store and app/events do it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.scale.azure import read_ru, write_ru
from benchmarks.scale.measured import Measured

#: How long a model takes for an answer of a few hundred tokens; with it grows what is in flight.
MODEL_SECONDS = 2.0
#: Events that an execution emits, and agents that listen to one, on average.
EVENTS, LISTENERS = 1.0, 1.0
#: Of an event with the facts that the next agent needs, as JSON; in a queue it is base64.
EVENT_BYTES = 1_500
#: Cosmos DB's own properties of a document (`_rid`, `_self`, `_etag`, `_ts`, `_attachments`).
_SYSTEM_BYTES = 200
#: Of an outbox entry, around what is to be delivered.
_ENTRY_BYTES = 300
#: What the SQL table is told, as JSON.
_RECORD_BYTES = 600
#: A marker: an id that is a hash, the agent, a type.
_MARKER_BYTES = 200
#: Of a row of `AgentExecutions` with typical names, and of its share of the four other indexes.
_ROW_BYTES, _INDEX_BYTES = 250, 300
#: Pages are not full: ids and hashes arrive in no order.
_FILL = 1.3
#: Each row and index entry is logged with a header of about its own size.
_LOG_FACTOR = 2.0
#: Request, dependency and log records of one execution, before sampling.
TELEMETRY_BYTES = 4_000


@dataclass(frozen=True)
class Execution:
    """Per execution: RU and bytes of Cosmos DB, bytes of SQL and of its log, events and messages, tokens."""

    cosmos_ru: float
    cosmos_bytes: float
    sql_bytes: float
    sql_log_bytes: float
    events: float
    messages: float
    event_bytes: float
    tokens: float
    quota_tokens: float


def execution(measured: Measured) -> Execution:
    document = measured.execution_bytes + _SYSTEM_BYTES
    entry = EVENT_BYTES + _ENTRY_BYTES + _SYSTEM_BYTES
    record = _RECORD_BYTES + _ENTRY_BYTES + _SYSTEM_BYTES
    marker = _MARKER_BYTES + _SYSTEM_BYTES
    # One transaction; each entry is written again when it is settled.
    written = write_ru(document) + write_ru(marker) + 2 * (EVENTS * write_ru(entry) + write_ru(record))
    # Whoever consumes looks whether it was done, and marks that it is.
    consumed = EVENTS * LISTENERS * (read_ru(marker) + write_ru(marker))
    looked = read_ru(marker)
    # Settled entries expire after a day; what stays is the execution and its markers.
    kept = document + marker + EVENTS * LISTENERS * marker
    stored_row = (_ROW_BYTES + _INDEX_BYTES) * _FILL
    return Execution(
        cosmos_ru=written + consumed + looked,
        cosmos_bytes=kept,
        sql_bytes=stored_row,
        sql_log_bytes=(_ROW_BYTES + _INDEX_BYTES) * _LOG_FACTOR,
        events=EVENTS,
        messages=EVENTS * LISTENERS,
        event_bytes=EVENT_BYTES,
        tokens=measured.prompt_tokens + measured.completion_tokens,
        # Azure counts what may come, not what comes.
        quota_tokens=measured.prompt_tokens + measured.max_tokens,
    )

"""The tables of the SQL database, as SQLAlchemy sees them; app/store/migrations brings a database there."""

from __future__ import annotations

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Unicode,
    Uuid,
    column,
)

metadata = MetaData()

#: One row per run of an agent: what was run, how it ended and what it cost. Input and output stay in Cosmos
#: DB under the same id; `InputHash` (SHA-256 of its canonical JSON, in hexadecimal) finds runs of one input.
AGENT_EXECUTIONS = Table(
    "AgentExecutions",
    metadata,
    Column("Id", Uuid, nullable=False),
    Column("Agent", String(64), nullable=False),
    Column("Prompt", String(128), nullable=False),
    Column("PromptVersion", String(32), nullable=False),
    Column("Status", String(16), nullable=False),
    Column("CorrelationId", String(64), nullable=False),
    Column("Provider", String(64)),
    Column("Model", String(128)),
    Column("PromptTokens", Integer, nullable=False, server_default="0"),
    Column("CompletionTokens", Integer, nullable=False, server_default="0"),
    Column("InputHash", CHAR(64), nullable=False),
    Column("Error", Unicode(1024)),
    Column("StartedAt", DateTime(timezone=True), nullable=False),
    Column("FinishedAt", DateTime(timezone=True)),
    # Rows are read by agent and time, so that is the order SQL Server keeps them in; ids are random.
    PrimaryKeyConstraint("Id", name="PK_AgentExecutions", mssql_clustered=False),
    CheckConstraint(
        column("Status").in_(["running", "succeeded", "failed"]), name="CK_AgentExecutions_Status"
    ),
    CheckConstraint(column("PromptTokens") >= 0, name="CK_AgentExecutions_PromptTokens"),
    CheckConstraint(column("CompletionTokens") >= 0, name="CK_AgentExecutions_CompletionTokens"),
    Index("IX_AgentExecutions_Agent_StartedAt", "Agent", "StartedAt", mssql_clustered=True),
    Index("IX_AgentExecutions_Status_StartedAt", "Status", "StartedAt"),
    Index("IX_AgentExecutions_CorrelationId", "CorrelationId"),
    Index("IX_AgentExecutions_InputHash", "InputHash"),
)

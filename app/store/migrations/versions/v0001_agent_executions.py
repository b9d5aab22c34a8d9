"""The table of executions, and the indexes of what is asked of it: by agent, status, correlation, input."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLE = "AgentExecutions"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("Id", sa.Uuid, nullable=False),
        sa.Column("Agent", sa.String(64), nullable=False),
        sa.Column("Prompt", sa.String(128), nullable=False),
        sa.Column("PromptVersion", sa.String(32), nullable=False),
        sa.Column("Status", sa.String(16), nullable=False),
        sa.Column("CorrelationId", sa.String(64), nullable=False),
        sa.Column("Provider", sa.String(64)),
        sa.Column("Model", sa.String(128)),
        sa.Column("PromptTokens", sa.Integer, nullable=False, server_default="0"),
        sa.Column("CompletionTokens", sa.Integer, nullable=False, server_default="0"),
        sa.Column("InputHash", sa.CHAR(64), nullable=False),
        sa.Column("Error", sa.Unicode(1024)),
        sa.Column("StartedAt", sa.DateTime(timezone=True), nullable=False),
        sa.Column("FinishedAt", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("Id", name="PK_AgentExecutions", mssql_clustered=False),
        sa.CheckConstraint(
            sa.column("Status").in_(["running", "succeeded", "failed"]), name="CK_AgentExecutions_Status"
        ),
        sa.CheckConstraint(sa.column("PromptTokens") >= 0, name="CK_AgentExecutions_PromptTokens"),
        sa.CheckConstraint(sa.column("CompletionTokens") >= 0, name="CK_AgentExecutions_CompletionTokens"),
    )
    op.create_index(
        "IX_AgentExecutions_Agent_StartedAt", _TABLE, ["Agent", "StartedAt"], mssql_clustered=True
    )
    op.create_index("IX_AgentExecutions_Status_StartedAt", _TABLE, ["Status", "StartedAt"])
    op.create_index("IX_AgentExecutions_CorrelationId", _TABLE, ["CorrelationId"])
    op.create_index("IX_AgentExecutions_InputHash", _TABLE, ["InputHash"])


def downgrade() -> None:
    op.drop_table(_TABLE)

"""Have rows be the queue: priorities, places in it, and what was handed out.

By statements that no database copies a table for; see ``jobs_0002``.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COLUMNS = {
    "priority": "VARCHAR(16) NOT NULL DEFAULT 'normal'",
    "queued_at": "FLOAT",
    "begun_at": "FLOAT",
    "waits_since": "FLOAT",
    "handed_out_at": "FLOAT",
    "ticket": "INTEGER NOT NULL DEFAULT 0",
}


def upgrade() -> None:
    """Add the columns; what waits keeps its place."""
    for name, kind in _COLUMNS.items():
        op.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")
    op.execute("UPDATE jobs SET queued_at = created_at WHERE state <> 'receiving'")
    op.create_index("jobs_by_begin", "jobs", ["begun_at"])
    turns = op.create_table(
        "turns",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("taken", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(turns, [{"name": "queue", "taken": 0}])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("turns")
    op.drop_index("jobs_by_begin", "jobs")
    for name in reversed(_COLUMNS):
        op.execute(f"ALTER TABLE jobs DROP COLUMN {name}")

"""Say where what a job is about lies, if it was not sent, and keep schedules of what arrives."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns, and make the tables."""
    op.execute("ALTER TABLE jobs ADD COLUMN uri VARCHAR(1280)")
    op.execute("ALTER TABLE jobs ADD COLUMN source_etag VARCHAR(255)")
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("prefix", sa.String(1280), nullable=False),
        sa.Column("cron", sa.String(100), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("looked_at", sa.Float),
        sa.Column("error", sa.String(1024)),
    )
    op.create_index("schedules_by_time", "schedules", ["next_at"])
    op.create_table(
        "seen_files",
        sa.Column(
            "schedule_id",
            sa.String(32),
            sa.ForeignKey("schedules.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("file", sa.String(64), primary_key=True),
    )


def downgrade() -> None:
    """Take them back; jobs of what was not sent, or is no video, are gone then."""
    op.drop_table("seen_files")
    op.drop_table("schedules")
    op.execute("DELETE FROM jobs WHERE uri IS NOT NULL OR kind <> 'video'")
    op.execute("ALTER TABLE jobs DROP COLUMN source_etag")
    op.execute("ALTER TABLE jobs DROP COLUMN uri")

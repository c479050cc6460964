"""Make the tables of videos, their segments, and those who work on them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "videos",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("name", sa.String(255)),
        sa.Column("size", sa.BigInteger),
        sa.Column("sha256", sa.String(64)),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("idempotency_key", sa.String(64)),
        sa.Column("model_name", sa.String(255)),
        sa.Column("model_version", sa.String(255)),
        sa.Column("segments_total", sa.Integer),
        sa.Column("segments_done", sa.Integer, nullable=False),
        sa.Column("worked_seconds", sa.Float, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("executor", sa.String(255)),
        sa.Column("error", sa.String(1024)),
        sa.Column("report_fence", sa.Integer),
        sa.Column("source_deleted_at", sa.Float),
        sa.UniqueConstraint("tenant", "purpose", "idempotency_key", name="one_video_a_key"),
    )
    op.create_index("videos_by_age", "videos", ["tenant", "created_at", "id"])
    op.create_index("videos_by_state", "videos", ["state"])
    op.create_table(
        "segments",
        sa.Column(
            "video_id",
            sa.String(32),
            sa.ForeignKey("videos.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "executors",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("boot", sa.String(32), nullable=False),
        sa.Column("heartbeat", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("segments")
    op.drop_table("videos")
    op.drop_table("executors")

"""Keep who is to be told of a job's end, until they are, and whether brokers answer."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.String(2048), nullable=False),
        sa.Column("due_at", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.UniqueConstraint("job_id", "channel", name="one_delivery_a_channel"),
    )
    op.create_index("deliveries_by_due", "deliveries", ["channel", "due_at"])
    op.create_table(
        "brokers",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("is_up", sa.Boolean, nullable=False),
        sa.Column("said_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("brokers")
    op.drop_table("deliveries")

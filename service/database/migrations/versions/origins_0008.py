"""Note which request asked for a job, and in which trace."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; of what is there already, neither is known."""
    op.execute("ALTER TABLE jobs ADD COLUMN request_id VARCHAR(64)")
    op.execute("ALTER TABLE jobs ADD COLUMN traceparent VARCHAR(55)")


def downgrade() -> None:
    """Take them back."""
    op.execute("ALTER TABLE jobs DROP COLUMN traceparent")
    op.execute("ALTER TABLE jobs DROP COLUMN request_id")

"""Say where what a job is about lies, if it was not sent."""

from alembic import op

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns."""
    op.execute("ALTER TABLE jobs ADD COLUMN uri VARCHAR(1280)")
    op.execute("ALTER TABLE jobs ADD COLUMN source_etag VARCHAR(255)")


def downgrade() -> None:
    """Take them back; jobs of what was not sent are gone then."""
    op.execute("DELETE FROM jobs WHERE uri IS NOT NULL")
    op.execute("ALTER TABLE jobs DROP COLUMN source_etag")
    op.execute("ALTER TABLE jobs DROP COLUMN uri")

"""Note when an upload last showed that it is still arriving."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; what is arriving now shows it from now on."""
    op.execute("ALTER TABLE jobs ADD COLUMN arriving_at FLOAT")
    op.execute("UPDATE jobs SET arriving_at = created_at WHERE state = 'receiving'")


def downgrade() -> None:
    """Take it back."""
    op.execute("ALTER TABLE jobs DROP COLUMN arriving_at")

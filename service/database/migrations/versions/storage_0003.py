"""Give the installation an id: objects in a bucket are marked with it."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, and draw the id."""
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("place", sa.String(1024)),
    )
    op.bulk_insert(installation, [{"id": uuid.uuid4().hex}])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("installation")

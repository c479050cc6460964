"""Say of what kind a job is: videos were the only one.

By statements that no database copies a table for: where SQLite does, foreign keys take the
segments of all jobs with the table that is dropped.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Rename the table and what refers to it, and add the kind."""
    op.drop_index("videos_by_age", "videos")
    op.drop_index("videos_by_state", "videos")
    op.execute("ALTER TABLE videos RENAME TO jobs")
    op.execute("ALTER TABLE jobs ADD COLUMN kind VARCHAR(16) NOT NULL DEFAULT 'video'")
    op.execute("ALTER TABLE segments RENAME COLUMN video_id TO job_id")
    op.create_index("jobs_by_age", "jobs", ["tenant", "kind", "created_at", "id"])
    op.create_index("jobs_by_state", "jobs", ["state"])


def downgrade() -> None:
    """Take it back; jobs of other kinds are gone then."""
    op.execute("DELETE FROM jobs WHERE kind <> 'video'")
    op.drop_index("jobs_by_age", "jobs")
    op.drop_index("jobs_by_state", "jobs")
    op.execute("ALTER TABLE segments RENAME COLUMN job_id TO video_id")
    op.execute("ALTER TABLE jobs DROP COLUMN kind")
    op.execute("ALTER TABLE jobs RENAME TO videos")
    op.create_index("videos_by_age", "videos", ["tenant", "created_at", "id"])
    op.create_index("videos_by_state", "videos", ["state"])

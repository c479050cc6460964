"""The tables. Each change here needs a migration beside it, in ``migrations/versions``.

Times are seconds since 1970, UTC. Nothing here is particular to one database.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("kind", String(16), nullable=False, server_default="video"),
    Column("state", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    # As its owner calls it; shown, and never used as a path.
    Column("name", String(255)),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("settings", JSON, nullable=False),
    # The SHA-256 of the caller's key.
    Column("idempotency_key", String(64)),
    # Fixed when the work first begins.
    Column("model_name", String(255)),
    Column("model_version", String(255)),
    Column("segments_total", Integer),
    Column("segments_done", Integer, nullable=False, default=0),
    Column("worked_seconds", Float, nullable=False, default=0.0),
    # Counts the times that the job was begun; only the last may write.
    Column("fence", Integer, nullable=False, default=0),
    # Times that it was begun since a segment was last done.
    Column("attempts", Integer, nullable=False, default=0),
    Column("executor", String(255)),
    Column("error", String(1024)),
    # Under which fence the report was written that stands.
    Column("report_fence", Integer),
    Column("source_deleted_at", Float),
    UniqueConstraint("tenant", "purpose", "idempotency_key", name="one_video_a_key"),
    Index("jobs_by_age", "tenant", "kind", "created_at", "id"),
    Index("jobs_by_state", "state"),
)

segments = Table(
    "segments",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fence", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

executors = Table(
    "executors",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("boot", String(32), nullable=False),
    Column("heartbeat", Float, nullable=False),
)

# One row. Objects that belong to the rows are marked with its id, which is drawn with the tables.
installation = Table(
    "installation",
    metadata,
    Column("id", String(32), primary_key=True),
    # Where those objects were last seen, for people; empty as long as none were marked.
    Column("place", String(1024)),
)

"""The tables. Each change here needs a migration beside it, in ``migrations/versions``.

Times are seconds since 1970, UTC. Nothing here is particular to one database.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
    Column("priority", String(16), nullable=False, server_default="normal"),
    Column("state", String(16), nullable=False),
    # Began to arrive, last showed that it is arriving, had arrived, was first begun, ended.
    Column("created_at", Float, nullable=False),
    Column("arriving_at", Float),
    Column("queued_at", Float),
    Column("begun_at", Float),
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
    # When it was sent to the queue's end; null where it has the place that it was queued at.
    Column("waits_since", Float),
    # When the workers were given it; null where it waits for that.
    Column("handed_out_at", Float),
    # Counts the times that they were; only the last may be begun.
    Column("ticket", Integer, nullable=False, server_default="0"),
    Column("error", String(1024)),
    # Under which fence the report was written that stands.
    Column("report_fence", Integer),
    Column("source_deleted_at", Float),
    # Where what it is about lies, if it was not sent; and what that was known by when it was read.
    Column("uri", String(1280)),
    Column("source_etag", String(255)),
    # Which request asked for it, and in which trace: its logs and spans join those of that.
    Column("request_id", String(64)),
    Column("traceparent", String(55)),
    UniqueConstraint("tenant", "purpose", "idempotency_key", name="one_video_a_key"),
    Index("jobs_by_age", "tenant", "kind", "created_at", "id"),
    Index("jobs_by_state", "state"),
    Index("jobs_by_begin", "begun_at"),
)

segments = Table(
    "segments",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fence", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    # A webhook, or Kafka.
    Column("channel", String(16), nullable=False),
    # The webhook's URL, or the id of the message that asked for the job.
    Column("address", String(2048), nullable=False),
    # When to try next; null until the job has ended.
    Column("due_at", Float),
    # Tries that were begun; who counted the last one may write.
    Column("attempts", Integer, nullable=False, default=0),
    UniqueConstraint("job_id", "channel", name="one_delivery_a_channel"),
    Index("deliveries_by_due", "channel", "due_at"),
)

# Of messages: whether the one of this name answers.
brokers = Table(
    "brokers",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("is_up", Boolean, nullable=False),
    Column("said_at", Float, nullable=False),
)

# Whoever changes a row here goes on alone until its transaction ends.
turns = Table(
    "turns",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("taken", BigInteger, nullable=False),
)

schedules = Table(
    "schedules",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("prefix", String(1280), nullable=False),
    Column("cron", String(100), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    # When it is to be looked at again; also how a worker takes its turn.
    Column("next_at", Float, nullable=False),
    Column("looked_at", Float),
    Column("error", String(1024)),
    Index("schedules_by_time", "next_at"),
)

# What became a job of a schedule, and so never does again.
seen_files = Table(
    "seen_files",
    metadata,
    Column(
        "schedule_id", String(32), ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    ),
    # The SHA-256 of key and ETag.
    Column("file", String(64), primary_key=True),
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

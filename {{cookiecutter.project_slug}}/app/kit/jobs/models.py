"""Jobs, and the steps that they have completed."""

import datetime as dt
from typing import Any, Literal

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db.model import Base

JobStatus = Literal["queued", "running", "succeeded", "failed", "interrupted", "cancelled"]


class Job(Base):
    """Work that outlives its request; clients read this row. The database's clock sets all times."""

    kind: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20), index=True)
    # Also a fencing token: only the process with the latest attempt can change the row.
    attempts: Mapped[int]
    progress: Mapped[float]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(String(500))
    is_cancel_requested: Mapped[bool]
    idempotency_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    # The digest of the request: the same key with another request is a conflict.
    fingerprint: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None] = mapped_column(index=True)


class JobCheckpoint(Base):
    """A step that a job has completed, and must not repeat when it runs again."""

    __tablename__ = "job_checkpoint"
    __table_args__ = (UniqueConstraint("job_id", "name"),)

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

"""Jobs, and what they have done."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db.model import Base


class Job(Base):
    """Work that takes longer than a request may; this row is what clients are told about it."""

    kind: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20), index=True)
    # Also tells the one who runs it now from one that was thought dead.
    attempts: Mapped[int]
    progress: Mapped[float]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(String(500))
    is_cancel_requested: Mapped[bool]
    idempotency_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    # Tells whether two requests with the same key are the same.
    fingerprint: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None] = mapped_column(index=True)


class Effect(Base):
    """Something that a job has done and must not do again when it runs a second time."""

    __table_args__ = (UniqueConstraint("job_id", "name"),)

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

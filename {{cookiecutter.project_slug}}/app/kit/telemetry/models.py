"""The trace that each job belongs to."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.db.model import Base


class JobTrace(Base):
    """The spans that queued a job and that last tried it, as W3C's ``traceparent``."""

    __tablename__ = "job_trace"

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), unique=True)
    queued_by: Mapped[str] = mapped_column(String(55))
    tried_by: Mapped[str | None] = mapped_column(String(55))

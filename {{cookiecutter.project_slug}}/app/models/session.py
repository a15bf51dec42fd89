"""Sessions of users."""

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Session(Base):
    """A user who is logged in on one device, from the login to the logout.

    ``token_digest`` identifies the refresh token that is valid now. Reuse of an older one means that
    it was stolen, so the session is revoked; only ``replaced_digest``, the one before, is accepted
    for a few seconds after ``replaced_at``, for a client that did not get the answer.
    """

    sid: Mapped[str] = mapped_column(String(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64))
    replaced_digest: Mapped[str | None] = mapped_column(String(64))
    replaced_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)

"""Sessions of users."""

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base


class Session(Base):
    """One login of a user on one device, until the logout.

    ``token_digest`` identifies the current refresh token. Reuse of an older token means that it was
    stolen: the session is revoked. Exception: ``replaced_digest``, the previous token, is accepted
    for a few seconds after ``replaced_at``, because the client may have missed the response.
    """

    sid: Mapped[str] = mapped_column(String(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64))
    replaced_digest: Mapped[str | None] = mapped_column(String(64))
    replaced_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)

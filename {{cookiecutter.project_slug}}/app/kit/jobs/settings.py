"""Settings of jobs, and of what they work with."""

from pathlib import Path  # example
from typing import Annotated, Literal, Self

from pydantic import (
    EmailStr,
    Field,
    # {% if cookiecutter.job_queue == "procrastinate" %}
    NonNegativeInt,
    # {% endif %}
    PositiveInt,
    SecretStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from app.kit.settings import EnvironmentSettings, Seconds


def keep_ascii(value: object, check: ValidatorFunctionWrapHandler) -> str:
    """Return the address with its domain as it was given: many servers take ASCII only."""
    address: str = check(value)
    domain = str(value).rstrip("> ").rpartition("@")[2]
    return f"{address.rpartition('@')[0]}@{domain}" if domain.isascii() else address


MailAddress = Annotated[EmailStr, WrapValidator(keep_ascii)]


class JobSettings(EnvironmentSettings):
    """How many jobs run at once, and when one counts as lost."""

    job_concurrency: PositiveInt = 4
    job_heartbeat_seconds: Seconds = 2
    job_lost_seconds: Seconds = 20
    # {% if cookiecutter.job_queue == "procrastinate" %}
    job_retries: NonNegativeInt = 4
    job_backoff_seconds: Seconds = 2
    # {% endif %}
    job_keep_days: Annotated[int, Field(gt=0, le=36_500)] = 7

    @model_validator(mode="after")
    def _check_heartbeat(self) -> Self:
        if self.job_lost_seconds < 2 * self.job_heartbeat_seconds:
            raise ValueError("JOB_LOST_SECONDS must be at least twice JOB_HEARTBEAT_SECONDS")
        return self


class MailSettings(EnvironmentSettings):
    """Which server takes the mail; without one it is only logged."""

    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout_seconds: Seconds = 10
    mail_from: MailAddress | None = None
    mail_to: MailAddress | None = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.smtp_host and not (self.mail_from and self.mail_to):
            raise ValueError("SMTP_HOST needs MAIL_FROM and MAIL_TO")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD need each other")
        if self.smtp_password and self.smtp_tls == "none":
            raise ValueError("SMTP_PASSWORD needs SMTP_TLS, or anybody on the way could read it")
        if (self.smtp_port, self.smtp_tls) in {(465, "starttls"), (587, "tls")}:
            raise ValueError("SMTP_PORT and SMTP_TLS contradict: starttls is for 587, tls for 465")
        return self


# example: photos
# What a multipart form adds to the file it holds: boundaries, headers, the client's file name.
FORM_BYTES = 10_000


class PhotoSettings(EnvironmentSettings):
    """Where photos are stored and how large they may be."""

    photo_folder: Path = Path("photos")
    photo_max_bytes: PositiveInt = 5_000_000
    # Pillow refuses more than this bound by itself.
    photo_max_pixels: Annotated[int, Field(gt=0, le=89_000_000)] = 25_000_000
    photo_thumbnail_pixels: PositiveInt = 320

    @property
    def max_body_bytes(self) -> int:
        """How large the request may be that brings a photo."""
        return self.photo_max_bytes + FORM_BYTES


# end of the example

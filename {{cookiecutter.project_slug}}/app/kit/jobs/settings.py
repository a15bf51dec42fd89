"""Settings of jobs, and of the mail they send."""

from typing import Annotated, Literal, Self

from pydantic import (
    EmailStr,
    Field,
    PositiveInt,
    SecretStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from app.kit.settings import BaseAppSettings, Host, Seconds


def keep_ascii(value: object, check: ValidatorFunctionWrapHandler) -> str:
    """Return the address; keep an ASCII domain, because many servers accept only ASCII."""
    address: str = check(value)
    domain = str(value).rstrip("> ").rpartition("@")[2]
    return f"{address.rpartition('@')[0]}@{domain}" if domain.isascii() else address


MailAddress = Annotated[EmailStr, WrapValidator(keep_ascii)]


class JobSettings(BaseAppSettings):
    """How many jobs run at once, and when one counts as lost."""

    job_concurrency: PositiveInt = 4
    job_heartbeat_seconds: Seconds = 2
    job_lost_seconds: Seconds = 20
    job_keep_days: Annotated[int, Field(gt=0, le=36_500)] = 7

    @model_validator(mode="after")
    def _check_heartbeat(self) -> Self:
        if self.job_lost_seconds < 2 * self.job_heartbeat_seconds:
            raise ValueError("JOB_LOST_SECONDS must be at least twice JOB_HEARTBEAT_SECONDS")
        return self


class MailSettings(BaseAppSettings):
    """The mail server; without one, mail is only logged."""

    smtp_host: Host | None = None
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
            raise ValueError("SMTP_HOST requires MAIL_FROM and MAIL_TO")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD must be set together")
        if self.smtp_password and self.smtp_tls == "none":
            raise ValueError("SMTP_PASSWORD requires SMTP_TLS=starttls or SMTP_TLS=tls")
        if (self.smtp_port, self.smtp_tls) in {(465, "starttls"), (587, "tls")}:
            raise ValueError("SMTP_PORT and SMTP_TLS do not match: starttls uses 587, tls 465")
        return self

"""Mail to the operators of the service."""

import logging
from email.message import EmailMessage
from email.utils import localtime, make_msgid

import aiosmtplib

from app.kit.jobs.settings import MailSettings

logger = logging.getLogger(__name__)


class MailError(Exception):
    """The server did not accept the mail; a retry may succeed. The text has no address."""


async def send_mail(settings: MailSettings, *, subject: str, text: str) -> None:
    """Send a mail to ``MAIL_TO``, or log its subject if there is no server; raise ``MailError``."""
    if settings.smtp_host is None:
        logger.info("mail not sent, because SMTP_HOST is not set: %s", subject)
        return
    password = settings.smtp_password
    try:
        await aiosmtplib.send(
            _message(settings, subject, text),
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            username=settings.smtp_user,
            password=None if password is None else password.get_secret_value(),
            timeout=settings.smtp_timeout_seconds,
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        # What servers say often names the recipient.
        raise MailError(f"the mail server failed: {_name(error)}") from None


def _message(settings: MailSettings, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = settings.mail_to
    message["Subject"] = " ".join(subject.split())  # a line break would be an error
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=str(settings.mail_from).rpartition("@")[2])
    message.set_content(text)
    return message


def _name(error: Exception) -> str:
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"

"""Mail: a real conversation with a server, what is refused, and what is said of it."""

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator
from email import message_from_bytes, policy

import pytest
from pydantic import SecretStr, ValidationError

from app.kit.jobs.settings import MailSettings
from app.kit.mail import MailError, send_mail

ANSWERS = {b"EHLO": b"250-here\r\n250 AUTH PLAIN", b"AUTH": b"235 welcome", b"QUIT": b"221 bye"}


class MailServer:
    """Speaks just enough SMTP to take a mail, or to refuse one command."""

    def __init__(self) -> None:
        self.refused = b""
        self.lines: list[bytes] = []
        self.mail = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the client leaves."""
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            self.lines.append(line.rstrip())
            command = line[:4].upper()
            if command == self.refused:
                writer.write(b"550 <cook@example.com> is unknown\r\n")
                continue
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                self.mail = await reader.readuntil(b"\r\n.\r\n")
            writer.write(ANSWERS.get(command, b"250 well") + b"\r\n")
        writer.close()


@pytest.fixture
async def server() -> MailServer:
    return MailServer()


@pytest.fixture
async def smtp(server: MailServer) -> AsyncGenerator[MailSettings]:
    async with await asyncio.start_server(server, "127.0.0.1", 0) as listener:
        yield MailSettings(
            smtp_host="127.0.0.1",
            smtp_port=listener.sockets[0].getsockname()[1],
            smtp_tls="none",
            smtp_timeout_seconds=5,
            mail_from="service@example.com",
            mail_to="cook@example.com",
        )


async def test_mail_arrives(server: MailServer, smtp: MailSettings) -> None:
    await send_mail(smtp, subject="Crème\r\nBcc: eve@example.com", text="Brûlée\n")
    mail = message_from_bytes(server.mail, policy=policy.default)
    assert mail.get_content() == "Brûlée\n"
    assert mail["Subject"] == "Crème Bcc: eve@example.com"
    assert (mail["From"], mail["To"]) == ("service@example.com", "cook@example.com")
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail["Date"].datetime.tzinfo is not None
    assert [line for line in server.lines if line.startswith(b"RCPT")] == [
        b"RCPT TO:<cook@example.com>"
    ]


async def test_password_is_sent(server: MailServer, smtp: MailSettings) -> None:
    login = {"smtp_user": "me", "smtp_password": SecretStr("secret")}
    await send_mail(smtp.model_copy(update=login), subject="Hello", text="")
    assert b"AUTH PLAIN " + base64.b64encode(b"\0me\0secret") in server.lines


@pytest.mark.parametrize("command", [b"MAIL", b"RCPT", b"DATA"])
async def test_refusal_is_an_error_without_addresses(
    server: MailServer, smtp: MailSettings, command: bytes
) -> None:
    server.refused = command
    with pytest.raises(MailError) as caught:
        await send_mail(smtp, subject="Hello", text="")
    assert "cook" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_mail_is_not_sent_without_the_tls_that_is_set(
    server: MailServer, smtp: MailSettings
) -> None:
    with pytest.raises(MailError):
        await send_mail(smtp.model_copy(update={"smtp_tls": "starttls"}), subject="Hello", text="")
    assert server.mail == b""


async def test_silent_server_is_an_error_at_the_timeout(smtp: MailSettings) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        silent = smtp.model_copy(update={"smtp_port": port, "smtp_timeout_seconds": 0.05})
        with pytest.raises(MailError, match="TimeoutError"):
            await send_mail(silent, subject="Hello", text="")


async def test_unreachable_server_is_an_error(smtp: MailSettings) -> None:
    with pytest.raises(MailError, match="SMTPConnectError"):
        await send_mail(smtp.model_copy(update={"smtp_port": 1}), subject="Hello", text="")


async def test_without_a_server_only_the_subject_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="app.kit.mail")
    await send_mail(MailSettings(mail_to="cook@example.com"), subject="Hello", text="secret")
    assert caplog.messages == ["mail not sent, because SMTP_HOST is not set: Hello"]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("cook@xn--bcher-kva.example", "cook@xn--bcher-kva.example"),
        ("Cook <cook@xn--bcher-kva.example>", "cook@xn--bcher-kva.example"),
        ("cook@bücher.example", "cook@bücher.example"),
    ],
)
def test_address_is_sent_unchanged(given: str, used: str) -> None:
    assert MailSettings(mail_to=given).mail_to == used


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"smtp_host": "mail.example.com", "mail_to": "a@example.com"}, "requires MAIL_FROM and"),
        ({"smtp_user": "me"}, "SMTP_USER and SMTP_PASSWORD must be set together"),
        ({"smtp_password": "secret"}, "SMTP_USER and SMTP_PASSWORD must be set together"),
        ({"smtp_user": "a", "smtp_password": "b", "smtp_tls": "none"}, "requires SMTP_TLS"),
        ({"smtp_port": 465}, "do not match"),
        ({"smtp_port": 587, "smtp_tls": "tls"}, "do not match"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        MailSettings.model_validate(given)

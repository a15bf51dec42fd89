"""Variables as platforms set them: values that cannot be meant, files, empty values."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.kit.settings import BaseAppSettings, CommaSeparated, Host, read_settings


class CacheSettings(BaseAppSettings):
    cache_host: Host = "localhost"
    cache_port: int = 6379
    cache_key: SecretStr = SecretStr("default")
    cache_names: CommaSeparated = ("first", "second")


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the `.env` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".env"


def read() -> CacheSettings:
    return read_settings(CacheSettings)


def refusal() -> str:
    with pytest.raises(SystemExit) as caught:
        read()
    sentence = str(caught.value)
    assert "secret" not in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("scheme", ["tcp", "udp", "sctp"])
def test_service_link_is_ignored(monkeypatch: pytest.MonkeyPatch, env: Path, scheme: str) -> None:
    """Kubernetes sets CACHE_PORT where a Service is called "cache"."""
    monkeypatch.setenv("CACHE_PORT", f"{scheme}://10.0.171.239:25")
    assert read().cache_port == 6379
    env.write_text("CACHE_PORT=7\n")
    assert read().cache_port == 7


@pytest.mark.parametrize("value", ['"secret"', "'secret'", ' "secret"\n'])
@pytest.mark.parametrize("name", ["CACHE_KEY", "CACHE_KEY_FILE"])
def test_quotes_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert refusal() == f"{name}: remove the quotes: here they are part of the value."


def test_quotes_in_the_file_are_for_its_parser(env: Path) -> None:
    env.write_text("CACHE_KEY=\"'a b '\"\nCACHE_HOST='c'\n")
    assert read().cache_key.get_secret_value() == "'a b '"
    assert read().cache_host == "c"


@pytest.mark.parametrize("value", ["http://:$(SECRET)@host", "x${SECRET}y"])
def test_placeholder_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CACHE_KEY", value)
    assert refusal() == "CACHE_KEY: replace the placeholder, such as $(NAME), by a value."


@pytest.mark.parametrize("value", ["$", "$x", "a$(b", "${}", '"', "'a", 'a"'])
def test_other_values_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CACHE_KEY", value)
    assert read().cache_key.get_secret_value() == value


@pytest.mark.parametrize("value", ["key\n", " key\t", "key\r"])
def test_white_space_around_a_value_is_removed(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CACHE_KEY", value)
    assert read().cache_key.get_secret_value() == "key"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_file_of_any_editor_is_read(env: Path, start: bytes, end: bytes) -> None:
    env.write_bytes(start + end.join([b"CACHE_PORT=7", b"CACHE_KEY=key", b""]))
    assert (read().cache_port, read().cache_key.get_secret_value()) == (7, "key")


def test_file_that_may_not_be_read_is_refused(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    env.write_text("CACHE_PORT=7\n")
    monkeypatch.setattr("builtins.open", refuse)
    assert refusal() == ".env cannot be read: Permission denied."


def test_folder_in_place_of_the_file_is_ignored(env: Path) -> None:
    """Docker makes one where a file that it shall mount is missing."""
    env.mkdir()
    assert read().cache_port == 6379


@pytest.mark.parametrize("value", ["", " "])
def test_empty_value_is_not_set_and_an_empty_list_has_no_items(
    monkeypatch: pytest.MonkeyPatch, env: Path, value: str
) -> None:
    env.write_text("CACHE_PORT=7\nCACHE_NAMES=third\n")
    monkeypatch.setenv("CACHE_PORT", value)
    monkeypatch.setenv("CACHE_NAMES", value)
    assert (read().cache_port, read().cache_names) == (7, ())


@pytest.mark.parametrize("value", ["http://secret", "secret:25", "secret@host", "se cret", "a/b"])
def test_host_is_only_a_host(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CACHE_HOST", value)
    assert refusal().startswith("CACHE_HOST: must be a host such as db.example.com, without")


@pytest.mark.parametrize("value", ["db.example.com", "bücher.example", "10.0.0.1", "::1"])
def test_host_is_a_name_or_an_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CACHE_HOST", value)
    assert read().cache_host == value


@pytest.mark.parametrize("is_in_file", [True, False])
def test_secret_may_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env: Path, *, is_in_file: bool
) -> None:
    file = tmp_path / "key"
    file.write_text("key\n")
    if is_in_file:
        env.write_text(f"CACHE_KEY_FILE={file}\n")
    else:
        monkeypatch.setenv("CACHE_KEY_FILE", str(file))
        env.write_text("CACHE_KEY=another\n")
    assert read().cache_key.get_secret_value() == "key"


def test_secret_file_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_KEY_FILE", "secret")
    expected = "CACHE_KEY_FILE: the file cannot be read: No such file or directory."
    assert refusal() == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "must be a text in UTF-8")],
)
def test_secret_file_without_a_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("CACHE_KEY_FILE", str(tmp_path / "key"))
    assert refusal() == f"CACHE_KEY_FILE: the file {reason}."


def test_secret_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_KEY", "secret")
    monkeypatch.setenv("CACHE_KEY_FILE", "/run/secrets/key")
    assert refusal() == "CACHE_KEY and CACHE_KEY_FILE are both set: remove one of them."

"""Variables as platforms set them: correct the clear cases, refuse the ambiguous ones."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError

# Kubernetes and Docker set CACHE_PORT for a service "cache", even if a setting has this name.
SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://.*")
# Kubernetes keeps $(NAME) if there is no such variable; docker --env-file always keeps ${NAME}.
PLACEHOLDER = re.compile(r"\$\(\w+\)|\$\{\w+\}")
FILE = "_file"

Fields = Mapping[str, FieldInfo]
Variables = Mapping[str, str | None]


def check_variables(variables: Variables, fields: Fields) -> Variables:
    """Return the variables; strip white space around the values of fields.

    A secret that ``echo`` wrote ends with a newline. Raise ``SettingsError`` for quotes and
    placeholders.
    """
    ours = {name for field in fields for name in (field, f"{field}{FILE}")}
    return {
        name: _check(name.upper(), value.strip()) if name in ours else value
        for name, value in variables.items()
        if value is not None and not (name.endswith("_port") and SERVICE_LINK.fullmatch(value))
    }


def _check(name: str, value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        raise SettingsError(f"{name}: remove the quotes: here they are part of the value.")
    if PLACEHOLDER.search(value):
        raise SettingsError(f"{name}: replace the placeholder, such as $(NAME), by a value.")
    return value


def read_files(variables: Variables, fields: Fields) -> Variables:
    """Read ``DATABASE_URL`` from the file that ``DATABASE_URL_FILE`` names, and so on.

    Raise ``SettingsError`` if both are set, or the file cannot be read.
    """
    read = dict(variables)
    for name in fields:
        if path := variables.get(f"{name}{FILE}"):
            if variables.get(name):
                upper = name.upper()
                raise SettingsError(f"{upper} and {upper}_FILE are both set: remove one of them.")
            read[name] = _read(f"{name}{FILE}".upper(), Path(path))
    return read


def _read(name: str, path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise SettingsError(f"{name}: the file cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: the file must be a text in UTF-8.") from None
    if not value:
        raise SettingsError(f"{name}: the file is empty.")
    return value


def skip_empty(variables: Variables, fields: Fields) -> Variables:
    """Remove empty variables, which count as not set; but an empty list is a list without items."""
    return {
        name: value
        for name, value in variables.items()
        if value or (name in fields and get_origin(fields[name].annotation) is tuple)
    }

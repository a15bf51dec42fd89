"""Normalise passwords: the same password typed on two keyboards becomes the same text."""

import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, Secret, StringConstraints

MIN_LENGTH = 8
MAX_LENGTH = 128
# A character decomposes into at most four code points, so longer passwords are refused anyway.
# Normalising many combining marks takes quadratic time.
MAX_DECOMPOSED_LENGTH = 4 * MAX_LENGTH


def prepare(password: object) -> object:
    """Map spaces to ASCII and normalise to NFC, as the OpaqueString profile of RFC 8265 does.

    Unlike the profile, accept control characters and unassigned code points: Python would refuse
    an emoji that is newer than its tables.
    """
    if not isinstance(password, str) or len(password) > MAX_DECOMPOSED_LENGTH:
        return password
    if password.isascii():
        return password
    mapped = "".join(" " if unicodedata.category(it) == "Zs" else it for it in password)
    return unicodedata.normalize("NFC", mapped)


# Not SecretStr, which accepts a lone surrogate.
Password = Secret[
    Annotated[
        str,
        StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH),
        BeforeValidator(prepare),
    ]
]
# Without a minimum: at login, a short password is wrong rather than malformed.
GivenPassword = Secret[
    Annotated[str, StringConstraints(max_length=MAX_LENGTH), BeforeValidator(prepare)]
]

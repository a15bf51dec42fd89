"""Requests made from the OpenAPI document, and whether the answers are as it says."""

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.support import ROOT

# Where Hypothesis keeps its tables of characters, which take 2 s to make.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(ROOT / ".hypothesis"))
EXAMPLES = 8  # of each operation, valid and not
# Pydantic reads numbers and booleans from texts, and passes over fields that it does not know.
EXCLUDED: list[CheckFunction] = [negative_data_rejection]
# What is well-formed may be the cursor of no page (422), the ETag of no version (412), or a file
# without the right content (422): a schema describes JSON only.
OPAQUE = {"cursor", "if-match"}
JSON = {"application/json", None}
# JSON Schema's format takes domains that are reserved, or are none; the service does not.
ADDRESSES = st.from_regex(r"[a-z]{1,20}@[a-z]{1,20}\.com", fullmatch=True)

# Times near the years 1 and 9999 do not exist in all time zones.
TIMES = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.just(dt.UTC)).map(
    dt.datetime.isoformat
)


def check_answers(app: FastAPI, callers: Sequence[Mapping[str, str]]) -> None:
    """Ask for all operations with the headers of each caller; raise at an undocumented answer.

    Making requests up takes most of the time, so all callers send the same.
    """
    schemathesis.openapi.format("email", ADDRESSES)
    schemathesis.openapi.format("date-time", TIMES)
    try:
        document = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
        operations = [found for path in document.values() for found in path.values()]
        assert operations
        for operation in operations:
            _check(operation.as_strategy(GenerationMode.POSITIVE), callers)
            with suppress(Unsatisfiable):  # some have nothing that could be wrong
                _check(operation.as_strategy(GenerationMode.NEGATIVE), callers)
    finally:
        shutdown_lifespans()


def _check(requests: st.SearchStrategy[Case[Any]], callers: Sequence[Mapping[str, str]]) -> None:
    @settings(
        derandomize=True,
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests)
    def check(case: Case[Any]) -> None:
        names = {*case.query, *map(str.lower, case.headers)}
        is_opaque = not OPAQUE.isdisjoint(names) or case.media_type not in JSON
        excluded = [*EXCLUDED, positive_data_acceptance] if is_opaque else EXCLUDED
        for headers in callers:
            case.call_and_validate(headers=dict(headers), excluded_checks=excluded)

    check()

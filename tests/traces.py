"""What an answer may leave in a service, and no other answer: its words."""

import re
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tests.combinations import AXES

FOLDER = Path(__file__).parent / "words"


def _read(question: str) -> dict[str | bool, tuple[str, ...]]:
    """Return the words of each answer; an entry may be for several, such as `one or other`."""
    stored = tomllib.loads((FOLDER / f"{question}.toml").read_text("utf-8"))
    return {
        answer: tuple(
            word
            for answers, words in stored.items()
            if str(answer).lower() in answers.split(" or ")
            for word in words
        )
        for answer in AXES[question]
    }


# Regular expressions; case does not matter. An answer that only means "without" has none, a word of
# two answers needs both.
WORDS = {question: _read(question) for question in AXES}

# Words that other answers may leave, too.
ALSO: dict[str, list[tuple[str, str | bool]]] = {
    r"psycopg": [("job_queue", "procrastinate")],
    r"dashboard": [("telemetry", True)],
    # What `make observe` starts Prometheus with, where it is not installed.
    r"docker.compose": [("telemetry", True)],
    r"multipart": [("auth", True), ("job_queue", "in_process"), ("job_queue", "procrastinate")],
}

# Where a word may stand all the same: other services have limits, mail servers log in, and what
# people uploaded stays out of git when the answer goes.
EXCEPTIONS = (
    (".gitignore", re.compile(r"photos")),
    # Column types, the clock and revisions are the same text for both databases.
    ("app/kit/db/database.py", re.compile(r"sqlite|postgres", re.IGNORECASE)),
    ("app/kit/db/clock.py", re.compile(r"sqlite|postgres", re.IGNORECASE)),
    ("tests/kit/test_fields.py", re.compile(r"sqlite", re.IGNORECASE)),
    ("app/kit/db/types.py", re.compile(r"sqlite|postgres", re.IGNORECASE)),
    ("app/kit/db/model.py", re.compile(r"sqlite|postgres", re.IGNORECASE)),
    ("migrations/versions/*.py", re.compile(r"sqlite", re.IGNORECASE)),
    ("scripts/remove_example.py", re.compile(r"sqlite", re.IGNORECASE)),
    # A gap of a library is named by its project and number.
    ("app/kit/*.py", re.compile(r"\b[\w-]+ #\d+")),
    ("*/clients/*.py", re.compile(r"\b429\b")),
    # Vocabulary: error classes and names of headers may exist unused.
    ("app/kit/errors.py", re.compile(r"Unauthorized|Forbidden")),
    # Words of the systems that run pipelines.
    (".git*.yml", re.compile(r"^jobs:|docker login|--password-stdin", re.MULTILINE)),
    ("docs/pipeline.md", re.compile(r"project access token")),
    ("*/test_headers.py", re.compile(r"idempotency|traceparent", re.IGNORECASE)),
    (
        "app/kit/http/middleware/cors.py",
        re.compile(r"Idempotency|RateLimit|Timing|Process-Time|Traceparent", re.IGNORECASE),
    ),
    ("app/kit/http/problems.py", re.compile(r"Unauthorized|Forbidden|Bearer", re.IGNORECASE)),
    # A process that Prometheus scrapes belongs to a job.
    ("observability/alerts*.yaml", re.compile(r"\bjob\b")),
    # A Job of Kubernetes migrates the database.
    ("deploy/kubernetes/*", re.compile(r"\bjobs?\b", re.IGNORECASE)),
    ("docs/deploying.md", re.compile(r"\bJob\b")),
    ("tests/kit/jobs/test_mail.py", re.compile(r"\bAUTH\b|\blogin\b")),
)

# The first names all questions, the second all that a package can be used with (but test_locks.py
# reads it).
UNSAID = {".copier-answers.yml", "poetry.lock"}


def words(question: str, answer: str | bool) -> list[re.Pattern[str]]:
    """Return the words that only this answer may leave."""
    return [re.compile(word, re.IGNORECASE) for word in WORDS[question][answer]]


EVERY = {
    word for question in WORDS for answer in WORDS[question] for word in words(question, answer)
}


def traces(path: str, text: str, foreign: list[re.Pattern[str]]) -> list[str]:
    """Return where a file, or its path, says one of the words."""
    return [
        f"{path}:{number}: {line.strip()}"
        for number, line, said in _said(path, text)
        if not said.isdisjoint(foreign)
    ]


@cache
def _said(path: str, text: str) -> list[tuple[int, str, set[re.Pattern[str]]]]:
    """Return the lines that say words which belong to an answer, whichever it is."""
    if path in UNSAID:
        return []
    for pattern, allowed in EXCEPTIONS:
        if fnmatch(path, pattern):
            text = allowed.sub(" ", text)
    lines = [
        (number, line, {word for word in EVERY if word.search(line)})
        for number, line in enumerate([path, *text.splitlines()])
    ]
    return [line for line in lines if line[2]]

"""A resource and the names that are made from its name, for the templates."""

import builtins
import keyword
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.resource import RefusedError
from scripts.resource.fields import Field, camel, parse_fields
from scripts.resource.kinds import NAME, quoted

# Names that the generated modules use for something else, as modules, variables or classes.
RESERVED = {
    *("app", "base", "caller", "changes", "client", "connection", "count", "created", "database"),
    *("db", "deps", "failures", "field", "func", "id", "info", "insert", "literal", "method"),
    *("name", "new", "now", "number", "page", "path", "query", "response", "router", "row", "rows"),
    *("dt", "enum", "pytest", "sample", "sent", "settings", "test", "true", "false"),
    *("value", "values", "listing", "list_page", "list_query", "versioned"),
    *("if_match", "if_match_dep", "conditional_route"),
    *("any", "annotated", "boolean", "crud", "date", "decimal", "digits", "email", "float"),
    *("integer", "mapped", "missing", "record", "string", "text", "timestamp", "url", "utc"),
}
MAX_NAME_LENGTH = 30
PARAMETERS = {"sort", "cursor", "limit"}  # of a list that clients sort
STAMPS = {"created_at", "updated_at", "version"}  # columns of versioned records
# {% if cookiecutter.auth %}
OWNERS = {"user"}
# {% else %}
OWNERS: set[str] = set()
# {% endif %}
ENDINGS = ("s", "x", "z", "ch", "sh")


def pluralize(name: str) -> str:
    """Return the plural of an English noun, if it is regular."""
    if name.endswith("y") and name[-2:-1] not in set("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(ENDINGS) else f"{name}s"


@dataclass(frozen=True)
class Resource:
    """A resource; ``targets`` maps what it refers to to the module that adds one in tests.

    ``has_samples`` tells whether all that it refers to has samples, too. Clients sort and filter the
    list of a sortable resource, and change a versioned one only as they have read it.
    """

    name: str
    plural: str
    fields: tuple[Field, ...]
    targets: dict[str, str]
    has_samples: bool
    is_sortable: bool
    is_versioned: bool

    @classmethod
    def parse(
        cls,
        name: str,
        plural: str,
        fields: str,
        targets: dict[str, str],
        sampled: set[str],
        *,
        sortable: bool = False,
        versioned: bool = False,
    ) -> "Resource":
        """Read a resource; raise ``RefusedError``.

        ``targets`` maps the resources of the service to the modules that add one in tests;
        ``sampled`` are those that have samples.
        """
        plural = plural or pluralize(name)
        for noun in (name, plural):
            if not NAME.fullmatch(noun) or len(noun) > MAX_NAME_LENGTH:
                raise RefusedError(
                    f"{noun} is no name for a resource: use up to {MAX_NAME_LENGTH} lower-case "
                    "letters and single underscores, such as book or book_review"
                )
            if noun in RESERVED or keyword.iskeyword(noun) or hasattr(builtins, noun):
                raise RefusedError(f"{noun} is a reserved name: choose another for this resource")
        if plural == name:
            raise RefusedError(f"{name} needs another word as its plural: give one with plural")
        parsed = tuple(parse_fields(name, fields))
        needed = {field.target for field in parsed if field.target} - {name}
        for target in sorted(needed - targets.keys()):
            raise RefusedError(
                f"ref({target}): there is no resource of this name: it needs app/models/{target}.py"
                f" and, for the tests, a function add_{target} in tests/support/"
            )
        for field in parsed:
            if field.target == name and not field.is_optional:
                raise RefusedError(f"{field.name} refers to {name} itself: make it optional (?)")
            if (sortable and field.name in PARAMETERS) or (versioned and field.name in STAMPS):
                raise RefusedError(f"{field.name} is a reserved name: choose another for it")
        used = {target: targets[target] for target in sorted(needed)}
        has_samples = needed | {"user"} <= sampled
        return cls(name, plural, parsed, used, has_samples, sortable, versioned)

    @property
    def cls(self) -> str:
        """The name of the model."""
        return camel(self.name)

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.cls.lower()

    @property
    def words(self) -> str:
        """The name in a sentence."""
        return self.name.replace("_", " ")

    @property
    def words_plural(self) -> str:
        """The plural in a sentence."""
        return self.plural.replace("_", " ")

    @property
    def path(self) -> str:
        """The path below the prefix of the API."""
        return f"/{self.plural.replace('_', '-')}"

    @property
    def constant(self) -> str:
        """The prefix of names in tests."""
        return self.name.upper()

    @property
    def constant_plural(self) -> str:
        """The name of the path in tests."""
        return self.plural.upper()

    @property
    def enums(self) -> str:
        """The names of its enums."""
        return ", ".join(sorted(field.kind.python for field in self.fields if field.choices))

    @property
    def has_conflicts(self) -> bool:
        """Whether a change can conflict with another record."""
        return any(field.is_unique or field.target for field in self.fields)

    @property
    def references(self) -> list[str]:
        """The names of fields that refer to a record."""
        return [field.name for field in self.fields if field.target]

    @property
    def filters(self) -> list[Field]:
        """The fields that clients filter a list by."""
        return [field for field in self.fields if field.kind.query]

    @property
    def sortable(self) -> list[str]:
        """The columns that clients sort a list by: those that are never null."""
        names = [field.name for field in self.filters if not field.is_optional]
        return ["id", *names, *(["created_at", "updated_at"] if self.is_versioned else [])]

    @property
    def filters_of_tests(self) -> list[str]:
        """The filters that two records of the tests differ in."""
        return [field.name for field in self.filters if field.target != self.name]

    @property
    def plain_fields(self) -> list[Field]:
        """The fields whose values do not depend on other records."""
        return [field for field in self.fields if not field.target]

    @property
    def needs_number(self) -> bool:
        """Whether the tests number the records."""
        return any(field.is_unique or field.target == "user" for field in self.fields)

    @property
    def imports_of_tests(self) -> list[str]:
        """The statements that import what adds records of other resources."""
        return [f"from {module} import add_{name}" for name, module in self.targets.items()]

    @property
    def required(self) -> list[str]:
        """The fields that each request must have."""
        return [field.name for field in self.fields if field.is_required]

    @property
    def optional(self) -> list[str]:
        """The fields that may be null."""
        return [field.name for field in self.fields if field.is_optional]

    @property
    def omissible(self) -> list[Field]:
        """The fields that a request may leave out, with the same result each time."""
        return [it for it in self.fields if not it.is_required and it.name not in self.with_time]

    @property
    def with_time(self) -> list[str]:
        """The fields that are the current time unless a request has them."""
        return [it.name for it in self.fields if it.default and not it.default[2]]

    @property
    def unique(self) -> list[str]:
        """The fields whose values are unique."""
        return [field.name for field in self.fields if field.is_unique]

    @property
    def lengths(self) -> list[tuple[str, int]]:
        """The fields for texts, with their maximum lengths."""
        lengths = {field.name: field.kind.length for field in self.fields}
        return [(name, length) for name, length in lengths.items() if length]

    @property
    def sample_targets(self) -> list[str]:
        """The resources that samples refer to."""
        return sorted(self.targets.keys() | OWNERS)

    @property
    def samples(self) -> list[str]:
        """The samples, as Python dictionaries; one if a reference is unique, none if it has none."""
        is_single = any(field.is_unique and field.target for field in self.fields)
        count = (1 if is_single else 2) if self.has_samples else 0
        return [self._sample(number) for number in range(count)]

    def _sample(self, number: int) -> str:
        items = [f'"{field.name}": {field.kind.values[number]}' for field in self.plain_fields]
        return "{" + ", ".join(items) + "}"

    @property
    def sample_body(self) -> str:
        """The body of a sample, with the records that it refers to."""
        references = [
            f'"{field.name}": some_{field.target}["items"][0]["id"]'
            for field in self.fields
            if field.target and field.target != self.name
        ]
        return "sample | {" + ", ".join(references) + "}" if references else "sample"

    @staticmethod
    def quoted(names: Iterable[str]) -> str:
        """Return names as Python texts, with commas."""
        return ", ".join(quoted(name) for name in names)

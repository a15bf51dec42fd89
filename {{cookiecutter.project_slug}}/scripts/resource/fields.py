"""The fields of a resource: ``title:str(200)! published:date? author:ref(user)``."""

import keyword
import re
from dataclasses import dataclass, replace

from scripts.resource import RefusedError
from scripts.resource.kinds import Default, Kind, make_kind

FIELD = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*):(?P<kind>[a-z]+)(?:\((?P<given>[^()]*)\))?"
    r"(?P<flags>[!?^]*)(?:=(?P<default>\S+))?"
)
# Names of columns and of attributes that SQLAlchemy, pydantic or the generated code use.
RESERVED = {
    *("id", "metadata", "registry", "count", "index", "t", "tuple"),
    *("copy", "dict", "json", "schema", "validate", "construct", "fields"),
    *("str", "int", "float", "bool", "dt", "create", "update", "read"),
    # {% if cookiecutter.auth %}
    *("owner", "owner_id"),
    # {% endif %}
}
MAX_NAME_LENGTH = 30  # names of constraints have at most 63 characters


@dataclass(frozen=True)
class Field:
    """A field, as the templates need it."""

    name: str
    kind: Kind
    request: str  # an alias, if the type is long
    target: str = ""  # of a reference
    choices: tuple[str, ...] = ()  # of an enum
    is_unique: bool = False
    is_optional: bool = False
    is_indexed: bool = False
    default: Default | None = None

    @property
    def column(self) -> str:
        """The attribute of the model."""
        nullable = " | None" if self.is_optional else ""
        arguments = [self.kind.column] if self.kind.column else []
        arguments += ["unique=True"] if self.is_unique else []
        arguments += ["index=True"] if self.is_indexed else []
        arguments += [f"server_default={self.default[1]}"] if self.default else []
        value = f" = mapped_column({', '.join(arguments)})" if arguments else ""
        return f"{self.name}: Mapped[{self.kind.python}{nullable}]{value}"

    @property
    def to_create(self) -> str:
        """The field of a new record."""
        annotation = f"{self.request} | None" if self.is_optional else self.request
        if self.default:
            return f"{self.name}: {annotation} = {self.default[0]}"
        return f"{self.name}: {annotation}" + (" = None" if self.is_optional else "")

    @property
    def to_update(self) -> str:
        """The field of a change."""
        nullable = " | None" if self.is_optional else ""
        return f"{self.name}: {self.request}{nullable} | MISSING = MISSING"

    @property
    def to_read(self) -> str:
        """The field of a response."""
        nullable = " | None" if self.is_optional else ""
        has_own = self.kind.request == self.kind.response
        response = self.request if has_own else self.kind.response or self.kind.python
        return f"{self.name}: {response}{nullable}"

    @property
    def to_filter(self) -> str:
        """The field of a query, to equal its value."""
        has_own = self.kind.request == self.kind.query
        return f"{self.name}: {self.request if has_own else self.kind.query} | None = None"

    @property
    def is_required(self) -> bool:
        """Whether each request must have it."""
        return not self.is_optional and self.default is None


def camel(name: str) -> str:
    """Return the name of a class."""
    return "".join(part.capitalize() for part in name.split("_"))


def parse_fields(resource: str, text: str) -> list[Field]:
    """Read the fields of a resource; raise ``RefusedError``."""
    fields = [_parse(resource, part) for part in text.split()]
    if not fields:
        raise RefusedError('Name at least one field, such as fields="title:str(200)"')
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise RefusedError(f"The field {name} is there twice")
    return fields


def _parse(resource: str, text: str) -> Field:
    found = FIELD.fullmatch(text)
    if not found:
        raise RefusedError(f"{text} is no field: write name:type, such as title:str(200)!")
    name, flags = found["name"], found["flags"]
    is_reference = found["kind"] == "ref"
    _check_name(name)
    if is_reference:
        _check_name(f"{name}_id")
    kind = make_kind(f"{camel(resource)}{camel(name)}", found["kind"], found["given"])
    alias = kind.request.startswith("Annotated")
    field = Field(
        name=f"{name}_id" if is_reference else name,
        kind=kind,
        request=f"{camel(resource)}{camel(name)}" if alias else kind.request,
        target=found["given"] or "" if is_reference else "",
        choices=tuple(found["given"].split("|")) if found["kind"] == "enum" else (),
        is_unique="!" in flags,
        is_optional="?" in flags,
        is_indexed="^" in flags or (is_reference and "!" not in flags),
    )
    _check_flags(text, field, flags)
    return _with_default(text, field, found["default"])


def _check_name(name: str) -> None:
    if name in RESERVED or keyword.iskeyword(name) or name.startswith("model_"):
        raise RefusedError(f"{name} is a reserved name: choose another for this field")
    if len(name) > MAX_NAME_LENGTH or name.endswith("_") or "__" in name:
        raise RefusedError(
            f"{name} is no name for a field: use up to {MAX_NAME_LENGTH} lower-case letters, "
            "digits and single underscores"
        )


def _check_flags(text: str, field: Field, flags: str) -> None:
    if len(set(flags)) < len(flags) or {"!", "^"} <= set(flags):
        raise RefusedError(f"{text}: give each flag once; ! is also an index")
    if (field.is_unique or field.is_indexed) and not field.kind.unique:
        raise RefusedError(f"{text}: this type can be neither unique (!) nor indexed (^)")


def _with_default(text: str, field: Field, default: str | None) -> Field:
    if default is None:
        return field
    if field.kind.default is None or field.is_unique:
        raise RefusedError(f"{text}: this field takes no default")
    try:
        return replace(field, default=field.kind.default(default))
    except ValueError:
        raise RefusedError(f"{text}: {default} is no value of this type") from None

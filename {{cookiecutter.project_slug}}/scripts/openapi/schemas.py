"""Which changes of a JSON schema break clients, in requests and in responses.

The new schema of a request must allow all that the old one allowed. The old schema of a response
must allow all that the new one allows. So both are one question about a wide and a narrow schema.
"""

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
Finding = tuple[str, str]  # the place and the reason

# A smaller, or a larger, number allows less.
UPPER_LIMITS = ("exclusiveMaximum", "maxItems", "maxLength", "maximum")
LOWER_LIMITS = ("exclusiveMinimum", "minItems", "minLength", "minimum")
# Two values of these allow different things, and which of them allows more is unknown.
RULES = ("multipleOf", "pattern", "uniqueItems")
# Generated clients have types for these.
FORMATS = ("contentMediaType", "format", "prefixItems")
INFINITE = float("inf")


class _Comparison:
    """Finds what a narrow schema allows and a wide one does not."""

    refusal = ""

    def __init__(self, wide: Schema, narrow: Schema) -> None:
        self._wide, self._narrow = _named_schemas(wide), _named_schemas(narrow)
        self._running: list[tuple[Schema, Schema]] = []

    def missing(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        """Return what only the narrow schema allows."""
        allowed = list(_variants(wide, self._wide))
        return [
            finding
            for variant in _variants(narrow, self._narrow)
            for finding in self._variant(allowed, variant, place)
        ]

    def _variant(self, allowed: list[Schema], variant: Schema, place: str) -> list[Finding]:
        """Compare a variant with the allowed one of the same type that fits best."""
        fitting = [it for it in allowed if _has_type(variant, it)]
        if not fitting:
            return [(place, f"{variant.get('type', 'any type')} {self.refusal}")]
        return min((self._once(it, variant, place) for it in fitting), key=len)

    def _once(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        """Compare two schemas, but not inside of themselves."""
        if (wide, narrow) in self._running:
            return []
        self._running.append((wide, narrow))
        found = self._same_type(wide, narrow, place)
        self._running.pop()
        return found

    def _same_type(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        found = [(place, f"{it} {self.refusal}") for it in _unlisted_values(wide, narrow)]
        found += [(place, f"its {it} is another") for it in FORMATS if _differ(it, wide, narrow)]
        found += self._rules(wide, narrow, place) + self._fields(wide, narrow, place)
        for name, field in wide.get("properties", {}).items():
            if name in narrow.get("properties", {}):
                found += self.missing(field, narrow["properties"][name], f"{place}.{name}")
        for keyword in ("items", "additionalProperties"):
            if keyword in wide and isinstance(narrow.get(keyword, {}), dict):
                inner = wide[keyword] if isinstance(wide[keyword], dict) else {}
                found += self.missing(inner, narrow.get(keyword, {}), f"{place}[]")
        return found

    def _rules(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        """Compare limits."""
        raise NotImplementedError

    def _fields(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        """Compare which fields an object has."""
        raise NotImplementedError


class RequestComparison(_Comparison):
    """Compares what clients send."""

    refusal = "is no longer accepted"

    def __init__(self, old: Schema, new: Schema) -> None:
        super().__init__(wide=new, narrow=old)

    def compare(self, old: Schema, new: Schema, place: str) -> list[Finding]:
        """Return the places and reasons of the changes that break clients."""
        return self.missing(new, old, place)

    def _rules(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        stricter = [
            *(it for it in UPPER_LIMITS if wide.get(it, INFINITE) < narrow.get(it, INFINITE)),
            *(it for it in LOWER_LIMITS if wide.get(it, -INFINITE) > narrow.get(it, -INFINITE)),
            *(it for it in RULES if it in wide and _differ(it, wide, narrow)),
        ]
        return [(place, f"its {it} is now {wide[it]}") for it in stricter]

    def _fields(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        old, new = narrow.get("properties", {}), wide.get("properties", {})
        required = set(wide.get("required", ())) - set(narrow.get("required", ()))
        found = [(f"{place}.{it}", "is gone") for it in old if it not in new]
        found += [(f"{place}.{it}", "is required now") for it in new if it in required]
        if _is_closed(wide) and not _is_closed(narrow):
            found.append((place, f"an unknown field {self.refusal}"))
        return found


class ResponseComparison(_Comparison):
    """Compares what clients receive."""

    refusal = "is possible now"

    def __init__(self, old: Schema, new: Schema) -> None:
        super().__init__(wide=old, narrow=new)

    def compare(self, old: Schema, new: Schema, place: str) -> list[Finding]:
        """Return the places and reasons of the changes that break clients."""
        return self.missing(old, new, place)

    def _rules(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        return []  # clients do not check the limits of what they receive

    def _fields(self, wide: Schema, narrow: Schema, place: str) -> list[Finding]:
        old, new = wide.get("properties", {}), narrow.get("properties", {})
        optional = set(wide.get("required", ())) - set(narrow.get("required", ()))
        found = [(f"{place}.{it}", "is gone") for it in old if it not in new]
        return found + [(f"{place}.{it}", "may be missing now") for it in new if it in optional]


def _named_schemas(document: Schema) -> dict[str, Schema]:
    schemas = document.get("components", {}).get("schemas", {})
    return {f"#/components/schemas/{name}": schema for name, schema in schemas.items()}


def _variants(schema: Schema, named: dict[str, Schema]) -> Iterator[Schema]:
    """Yield the schemas that a value may follow, each with one type and without references."""
    if reference := schema.get("$ref"):
        yield from _variants(named[reference], named)
    elif several := schema.get("anyOf", schema.get("oneOf")):
        for one in several:
            yield from _variants(one, named)
    elif parts := schema.get("allOf"):
        yield _merged([variant for part in parts for variant in _variants(part, named)])
    elif isinstance(schema.get("type"), list):
        yield from ({**schema, "type": name} for name in schema["type"])
    else:
        yield schema


def _merged(parts: list[Schema]) -> Schema:
    """Return one schema for all parts of ``allOf``."""
    fields = {name: it for part in parts for name, it in part.get("properties", {}).items()}
    required = [name for part in parts for name in part.get("required", ())]
    keywords = {name: it for part in parts for name, it in part.items()}
    return {**keywords, "properties": fields, "required": required}


def _is_closed(schema: Schema) -> bool:
    return schema.get("additionalProperties") is False


def _has_type(narrow: Schema, wide: Schema) -> bool:
    types = (narrow.get("type"), wide.get("type"))
    return wide.get("type") in (None, narrow.get("type")) or types == ("integer", "number")


def _unlisted_values(wide: Schema, narrow: Schema) -> list[str]:
    """Return the values that only the narrow schema lists."""
    listed, values = _values(wide), _values(narrow)
    if listed is None:
        return []
    if values is None:
        return [f"a value besides {json.dumps(listed)}"]
    return [json.dumps(value) for value in values if value not in listed]


def _values(schema: Schema) -> list[object] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _differ(keyword: str, one: Schema, other: Schema) -> bool:
    return one.get(keyword) != other.get(keyword)

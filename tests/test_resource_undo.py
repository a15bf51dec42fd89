"""`make resource` names what it refuses, and its undoing gives back every byte."""

import shutil
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests import generator
from tests.trees import read

TYPES = [*generator.FIELDS.split(), "text:str", "some:decimal", "count_of:int", "user:ref(user)?"]
WORDS = st.from_regex(r"[a-z]{1,9}(_[a-z]{1,9})?", fullmatch=True)
SPECIFICATIONS = st.lists(st.sampled_from(TYPES), min_size=1, max_size=6, unique=True)
RESOURCES = st.lists(st.tuples(WORDS, SPECIFICATIONS), min_size=1, max_size=4)
# What teams add to lists: a line of their own, at any place inside of a list or between functions.
OWN_LINES = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["# ours", "", "    # ours"])))

# Fields and a part of the sentence that refuses them.
REFUSED_FIELDS = [
    ("", "Name at least one field"),
    ("title", "title is no field"),
    ("Title:str", "Title:str is no field"),
    ("title:string", "string is no type"),
    ("title:str title:int", "title is there twice"),
    ("title:str(0)", "a length from 1 to 10000"),
    ("title:str(a)", "write str(200)"),
    ("title:text(5)", "text takes no parentheses"),
    ("price:decimal(40,2)", "1 to 18 digits"),
    ("price:decimal(2,2)", "fewer after the point"),
    ("genre:enum(novel)", "two or more words"),
    ("genre:enum(novel|novel)", "may be there once"),
    ("author:ref(nobody)", "there is no resource of this name"),
    ("parent:ref(book)", "make it optional"),
    ("id:int", "id is a reserved name"),
    ("class:int", "class is a reserved name"),
    ("owner:ref(user)", "owner is a reserved name"),
    ("model_name:str", "model_name is a reserved name"),
    ("a__b:str", "a__b is no name for a field"),
    ("is_new:bool!", "neither unique"),
    ("text:text^", "neither unique"),
    ("link:url!", "neither unique"),
    ("title:str!!", "give each flag once"),
    ("title:str!^", "! is also an index"),
    ("title:str!=x", "takes no default"),
    ("extra:json=x", "takes no default"),
    ("rating:int=x", "x is no value of this type"),
    ("rating:int=1.5", "1.5 is no value of this type"),
    ("price:decimal(4,2)=123", "123 is no value of this type"),
    ("is_new:bool=yes", "yes is no value of this type"),
    ("day:date=2023-02-29", "2023-02-29 is no value of this type"),
    ("at:datetime=noon", "noon is no value of this type"),
    ("code:str(2)=abc", "abc is no value of this type"),
    ("genre:enum(a|b)=c", "c is no value of this type"),
]
REFUSED_NAMES = [
    ("", "is no name for a resource"),
    ("Book", "Book is no name for a resource"),
    ("book2", "book2 is no name for a resource"),
    ("b" * 31, "is no name for a resource"),
    ("class", "class is a reserved name"),
    ("list", "list is a reserved name"),
    ("page", "page is a reserved name"),
    ("user", "app/models/user.py is there already"),
    ("recipe", "app/models/recipe.py is there already"),
    ("setting", "settings is a reserved name"),
    ("idea", "app/api/api_v1/endpoints/ideas.py has routes of ideas"),
    ("credential", "app/models/credential.py is there already"),
    ("listing", "listing is a reserved name"),
]


@cache
def targets() -> tuple[dict[str, str], set[str]]:
    """Return what resources of the service may refer to, and which of these have samples."""
    service = generator.module("service")
    return service.targets(generator.folder()), service.sampled(generator.folder())


def parse(name: str, fields: str) -> object:
    """Read a resource as the program does."""
    return generator.module("resource").Resource.parse(name, "", fields, *targets())


def parse_with_options(name: str, field: str) -> object:
    """Read a resource whose list is sorted, and whose records have versions."""
    resource = generator.module("resource").Resource
    return resource.parse(name, "", field, *targets(), sortable=True, versioned=True)


def check_clashes(name: str) -> None:
    """Look for what has the same name."""
    generator.module("service").check_clashes(generator.folder(), parse(name, "title:str"))


def refusal(action: Callable[[], object]) -> str:
    """Return the sentence that refuses."""
    error = generator.module("service").RefusedError
    with pytest.raises(error) as refused:
        action()
    return str(refused.value)


@pytest.mark.parametrize(("fields", "reason"), REFUSED_FIELDS)
def test_wrong_fields_are_refused_in_a_sentence(fields: str, reason: str) -> None:
    said = refusal(lambda: parse("book", fields))
    assert reason in said
    assert "\n" not in said


@pytest.mark.parametrize("name", ["sort", "cursor", "limit", "created_at", "updated_at", "version"])
def test_names_of_an_option_are_refused_with_it_only(name: str) -> None:
    assert parse("book", f"{name}:int")
    said = refusal(lambda: parse_with_options("book", f"{name}:int"))
    assert said == f"{name} is a reserved name: choose another for it"


@pytest.mark.parametrize(("name", "reason"), REFUSED_NAMES)
def test_names_that_clash_are_refused_in_a_sentence(name: str, reason: str) -> None:
    said = refusal(lambda: check_clashes(name))
    assert reason in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "plural"),
    [("book", "books"), ("city", "cities"), ("day", "days"), ("box", "boxes"), ("dish", "dishes")],
)
def test_regular_plurals(name: str, plural: str) -> None:
    assert generator.module("resource").pluralize(name) == plural


def listing_texts(line_end: str, own: list[tuple[int, str]]) -> dict[str, str]:
    """Return the files that list resources, as a team may have changed them."""
    listing = generator.module("listing")
    resource = parse("book", "title:str")
    texts = {}
    for path in listing.listing_files(resource):
        lines = (generator.folder() / path).read_text("utf-8").split("\n")
        for number, line in own:
            lines.insert(number % len(lines), line)
        texts[path] = line_end.join(lines)
    return texts


@settings(deadline=None, max_examples=100)
@given(
    named=RESOURCES,
    line_end=st.sampled_from(["\n", "\r\n"]),
    own=OWN_LINES,
    order=st.randoms(use_true_random=False),
)
def test_lists_are_the_same_after_undoing_in_any_order(
    named: list[tuple[str, list[str]]], line_end: str, own: list[tuple[int, str]], order: object
) -> None:
    """undo(apply(x)) == x, for what a team made of the lists and for several resources."""
    listing, lines = generator.module("listing"), generator.module("lines")
    error = generator.module("service").RefusedError
    before = listing_texts(line_end, own)
    now, made = dict(before), []
    for name, fields in named:
        try:
            resource = parse(name, " ".join(fields))
            after = {
                path: listing.list_resource(resource, path, text) for path, text in now.items()
            }
        except (error, SyntaxError):  # our lines may cut a statement of several lines
            continue
        made.append({path: lines.added(now[path], after[path]) for path in now})
        assert all(line for added in made[-1].values() for line in added)
        now = after
    assume(made)
    getattr(order, "shuffle")(made)  # noqa: B009 (hypothesis does not export its type)
    for added in made:
        now = {path: lines.remove(text, added[path]) for path, text in now.items()}
    assert now == before


CHANGES: dict[str, Callable[[str], str | None]] = {
    "a line more": lambda text: f"{text}# ours\n",
    "a line less": lambda text: text.partition("\n")[2],
    "deleted": lambda _: None,
}


@settings(deadline=None, max_examples=30)
@given(data=st.data(), contents=st.lists(st.text(min_size=1), min_size=2, max_size=4))
def test_files_are_the_same_after_undoing_unless_they_were_changed(
    data: st.DataObject, contents: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    record = generator.module("record")
    root = tmp_path_factory.mktemp("service")
    listed = {f"app/list{number}.py": text for number, text in enumerate(contents)}
    for path, text in listed.items():
        record.write_text(root / path, text)
    before = {path: (root / path).read_bytes() for path in listed}
    new = {"app/models/book.py": "class Book: ...\n", "tests/test_books.py": "x = 1\n"}
    for path, text in new.items():
        record.write_text(root / path, text)
    added = {path: [f"added {number}"] for number, path in enumerate(listed)}
    for path, (line,) in added.items():
        lines = listed[path].split("\n")
        lines.insert(data.draw(st.integers(0, len(lines))), line)
        record.write_text(root / path, "\n".join(lines))
    digests = {path: record.digest(root / path) for path in new}
    record.Record("book", "book", "title:str", "abc", digests, added).write(root)

    changed = data.draw(st.sets(st.sampled_from(sorted(new))))
    for path in changed:
        text = CHANGES[data.draw(st.sampled_from(sorted(CHANGES)))](new[path])
        (root / path).unlink() if text is None else record.write_text(root / path, text)
    made = record.Record.read(root, "book")
    if changed:
        said = refusal(lambda: made.restored(root))
        assert said == f"changed by hand since: {', '.join(sorted(changed))}"
        return
    made.remove(root, made.restored(root))
    assert {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    } == before
    shutil.rmtree(root)


def test_line_that_was_changed_is_named() -> None:
    lines = generator.module("lines")
    text = "".join(f"{line}\n" for line in ("__all__ = [", '    "User",', "]"))
    after = lines.insert_item(text, "__all__ = [", '    "Book",')
    assert lines.remove(after, ['    "Book",']) == text
    assert lines.remove(after.replace("Book", "Buch"), ['    "Book",']) is None
    assert lines.remove(after + '    "Book",\n', ['    "Book",']) is None


@pytest.mark.parametrize(
    ("path", "old", "new", "reason"),
    [
        ("app/db/base.py", "__all__ = [", "__all__ = [ # ours", "must have the line `__all__ = [`"),
        ("app/db/base.py", '    "User",', '    "User",\n    "Book",', 'the line `"Book",` already'),
        ("app/db/init_db.py", "def init_db", "def other", "no function init_db"),
        ("app/api/api_v1/api.py", "\n]\n", "]\n", "must be closed on a line of its own"),
    ],
)
def test_list_that_cannot_take_a_line_is_refused(
    path: str, old: str, new: str, reason: str
) -> None:
    text = read(generator.folder())[path]
    assert old in text
    resource = parse("book", "title:str")
    listing = generator.module("listing")
    said = refusal(lambda: listing.list_resource(resource, path, text.replace(old, new)))
    assert reason in said

"""The shape of the template and of what it makes: what is varied where, and how much there is to read."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.combinations import BEHAVIOURS, DEFAULTS, ROOT, Combination
from tests.trees import TEMPLATE, texts

# The composition: what the service consists of, and what its first data are. Only here may a tag
# stand inside a function.
COMPOSITION = {"app/db/init_db.py", "app/main.py"}
MAX_FILES_WITH_TAGS = 20  # of app/
MAX_PERCENT_OF_LINES = 5  # of all Python lines of the service
MAX_OWN_LINES = 1200  # app/ without kit/, by default
MAX_MODULES_OF_A_READ = 8
TAG = re.compile(r"^\s*# \{%-? (?:if|elif|else|endif)\b", re.MULTILINE)


@cache
def sources() -> dict[str, str]:
    """Return each Python file of the service before it is rendered, by its path."""
    return {
        path.relative_to(TEMPLATE).as_posix(): path.read_text("utf-8")
        for path in sorted(TEMPLATE.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def tags(text: str) -> list[int]:
    """Return the numbers of the lines that are conditions."""
    return [number for number, line in enumerate(text.splitlines(), 1) if TAG.match(line)]


def tags_in_functions(text: str) -> list[int]:
    functions = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    return [line for line in tags(text) if any(line in lines for lines in functions)]


def does_not_parse(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return True
    return False


def test_python_files_parse_before_they_are_rendered() -> None:
    assert not [path for path, text in sources().items() if does_not_parse(text)]


def test_no_function_is_cut_by_a_condition() -> None:
    """Whatever differs inside of one would be read with all answers in mind."""
    found = {path: tags_in_functions(text) for path, text in sources().items()}
    assert not {path: lines for path, lines in found.items() if lines and path not in COMPOSITION}


def test_few_modules_have_conditions() -> None:
    found = [path for path, text in sources().items() if path.startswith("app/") and tags(text)]
    assert len(found) <= MAX_FILES_WITH_TAGS, found


def test_few_lines_are_conditions() -> None:
    lines = sum(len(text.splitlines()) for text in sources().values())
    conditions = {path: len(tags(text)) for path, text in sources().items() if tags(text)}
    assert sum(conditions.values()) <= lines * MAX_PERCENT_OF_LINES / 100, conditions


def own_lines(combination: Combination) -> int:
    """Count the lines of what a team edits."""
    return sum(
        len(text.splitlines())
        for path, text in texts(combination).items()
        if path.startswith("app/") and path.endswith(".py") and not path.startswith("app/kit/")
    )


def test_what_a_team_edits_is_as_short_as_the_readme_claims() -> None:
    claim = f"`app/` without `app/kit/` has at most {MAX_OWN_LINES:,} lines in the default service"
    assert claim in " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert own_lines(DEFAULTS) <= MAX_OWN_LINES


class Reading:
    """What a reader opens who follows one function through the modules of a service."""

    def __init__(self, service: dict[str, str]) -> None:
        self._service = service
        self._seen: set[tuple[str, str]] = set()

    def modules(self) -> set[str]:
        """Return the modules opened so far that are no machinery."""
        return {path for path, _ in self._seen if not path.startswith("app/kit/")}

    def follow(self, path: str, name: str) -> None:
        """Read a definition, and all that it names."""
        if (path, name) in self._seen or path.startswith("app/kit/"):
            return
        definition = definitions(self._service[path]).get(name)
        if definition is None:
            return
        self._seen.add((path, name))
        if isinstance(definition, ast.ImportFrom):
            self._seen.discard((path, name))
            self._follow_import(definition, name)
            return
        for node in ast.walk(definition):
            if isinstance(node, ast.Name):
                self.follow(path, node.id)

    def _follow_import(self, statement: ast.ImportFrom, name: str) -> None:
        original = next(it.name for it in statement.names if (it.asname or it.name) == name)
        path = (statement.module or "").replace(".", "/")
        if f"{path}.py" in self._service:
            self.follow(f"{path}.py", original)
        elif f"{path}/{original}.py" in self._service:
            self._seen.add((f"{path}/{original}.py", ""))


@cache
def definitions(text: str) -> dict[str, ast.stmt]:
    """Map each name of a module to the statement that defines it."""
    found: dict[str, ast.stmt] = {}
    for statement in ast.parse(text).body:
        for name in names(statement):
            found[name] = statement
    return found


def names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.ImportFrom():
            yield from (it.asname or it.name for it in statement.names)
        case ast.Assign():
            yield from (it.id for it in statement.targets if isinstance(it, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def modules_of_a_read(combination: Combination) -> set[str]:
    """Return the modules that answer `GET /recipes/{id}`, but for machinery."""
    path = "app/api/api_v1/endpoints/recipe.py"
    service = texts(combination)
    (endpoint,) = (
        node.name
        for node in ast.parse(service[path]).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.unparse(node.decorator_list[0]).startswith("router.get('/{id}'")
    )
    reading = Reading(service)
    reading.follow(path, endpoint)
    return reading.modules()


def test_few_modules_answer_a_read() -> None:
    for combination in BEHAVIOURS:
        opened = modules_of_a_read(combination)
        assert len(opened) > 3
        assert len(opened) <= MAX_MODULES_OF_A_READ, sorted(opened)

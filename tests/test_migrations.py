"""Migrations of generated services: what ``docs/schema.md`` of a service promises."""

from pathlib import Path

import pytest

from tests.combinations import CROSSED, DEFAULTS
from tests.releases import edit
from tests.services import Service
from tests.trees import texts

REVISIONS = "migrations/versions/"
RECIPE = "app/models/recipe.py"
USER = "app/models/user.py"
LABEL = "    label: Mapped[str] = mapped_column(String(255))\n"
COLOUR = """\
class Colour(enum.StrEnum):
    RED = "red"
    GREEN = "green"


class Recipe(Base):
"""
INDEXES = """\
    __table_args__ = (
        Index("ix_recipe_newest", label.desc()),
        Index("ix_recipe_lower", func.lower(label)),
    )
"""
NATIVE = """\
    colour: Mapped[str] = mapped_column(Enum("red", "green", name="colour"))
"""
REQUIRED = 'sa.Column("cuisine", sa.String(length=50), nullable=False)'
REQUIRED_WITH_DEFAULT = REQUIRED.replace(", nullable", ', server_default="any", nullable')
REQUIRED_COLUMN = "    cuisine: Mapped[str] = mapped_column(String(50)"
REQUIRED_COLUMN_WITH_DEFAULT = f'{REQUIRED_COLUMN}, server_default="any"'
# Of the service's own tests, those about the schema.
OWN = "agree or constraint or undone"
RENAME = 'op.alter_column("recipe", "source", new_column_name="origin")'
RENAMING = f"""\
def upgrade() -> None:
    {RENAME}


def downgrade() -> None:
    op.alter_column("recipe", "origin", new_column_name="source")
"""
PRINT = """\
from sqlalchemy import text
from app.core.config import load_settings
from app.kit.db.engine import with_sync_connection
query = text("{}")
url = load_settings().database_url
with_sync_connection(url, lambda connection: print(*connection.scalars(query)))
"""
# In one process, which takes a fifth of the time of five.
ROUND_TRIP = """\
from alembic.config import main
for command in ("upgrade heads", "check", "downgrade 0001", "upgrade heads", "check"):
    main(command.split())
"""
INDEXES_OF = {
    "sqlite": "SELECT sql FROM sqlite_master",
    "postgresql": "SELECT indexdef FROM pg_indexes",
}
COLUMNS = """\
    colour: Mapped[Colour] = mapped_column(server_default=Colour.RED)
    servings: Mapped[int] = mapped_column(server_default="2")
    cuisine: Mapped[str] = mapped_column(String(50))
    __table_args__ = (
        Index("ix_recipe_newest", label.desc()),
        Index("ix_recipe_lower", func.lower(label)),
    )
"""
FAVOURITE = """\
    favourite_recipe_id: Mapped[int | None] = mapped_column(
        ForeignKey("recipe.id", use_alter=True)
    )
"""


class Schema:
    """A service whose schema is being changed."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.variables = service.variables | {
            "DATABASE_URL": service.new_database(),
            "UV_PROJECT_ENVIRONMENT": str(service.programs.parent),
            "UV_FROZEN": "1",
        }
        self.run("alembic", "upgrade", "heads")

    def run(self, *command: str) -> str:
        return self.service.run(*command, **self.variables)

    def edit(self, path: str, old: str, new: str) -> None:
        edit(self.service.folder / path, old, new)

    def revise(self, message: str) -> tuple[str, str]:
        """Write a revision; return what ``make`` printed, and the revision."""
        said = self.run("make", "migration", f"m={message}")
        found = self.revisions(message)
        return said, found[0].read_text("utf-8") if found else ""

    def revisions(self, message: str) -> list[Path]:
        return list((self.service.folder / REVISIONS).glob(f"*_{message}.py"))

    def migrate(self) -> None:
        """Go up, down and up again; models and database agree in the end."""
        self.run("python", "-c", ROUND_TRIP)

    def refused(self) -> str:
        """Return what ``make migration`` says when it refuses."""
        with pytest.raises(pytest.fail.Exception) as failed:
            self.run("make", "migration", "m=refused")
        assert not self.revisions("refused")
        return str(failed.value)


@pytest.fixture(params=[DEFAULTS, DEFAULTS.but(database="postgresql", async_db=False)], ids=str)
def schema(request: pytest.FixtureRequest, workplace: Path) -> Schema:
    return Schema(Service.open(request.param, workplace))


def test_revision_is_the_same_text_for_every_answer() -> None:
    """A database keeps its history when an answer changes."""
    found: dict[str, set[str]] = {}
    for combination in CROSSED:
        for path, text in texts(combination).items():
            if path.startswith(REVISIONS):
                found.setdefault(path, set()).add(text)
    assert f"{REVISIONS}0001_initial.py" in found
    assert not [path for path, variants in found.items() if len(variants) > 1]


def test_changed_models_become_migrations(schema: Schema) -> None:
    """Enums, defaults, indexes on expressions, foreign keys in a circle, a required column."""
    schema.edit(RECIPE, "import ForeignKey, String", "import ForeignKey, Index, String, func")
    schema.edit(RECIPE, '"""Recipes."""\n', '"""Recipes."""\n\nimport enum\n')
    schema.edit(RECIPE, "class Recipe(Base):\n", COLOUR)
    schema.edit(RECIPE, LABEL, LABEL + COLUMNS)
    schema.edit(USER, "import String, false", "import ForeignKey, String, false")
    schema.edit(USER, "    name: Mapped", FAVOURITE + "    name: Mapped")
    said, text = schema.revise("columns")
    assert "recipe.cuisine is required" in said
    assert "# recipe.cuisine is required" in text
    assert "Enum" not in text
    schema.edit(REVISIONS + schema.revisions("columns")[0].name, REQUIRED, REQUIRED_WITH_DEFAULT)
    schema.edit(RECIPE, REQUIRED_COLUMN, REQUIRED_COLUMN_WITH_DEFAULT)
    schema.migrate()
    # What changes without a new column: a default, and a value of an enum, which is no change.
    schema.edit(RECIPE, 'server_default="2"', 'server_default="4"')
    schema.edit(RECIPE, 'GREEN = "green"', 'GREEN = "green"\n    BLUE = "blue"')
    said, text = schema.revise("default")
    assert "servings" in text
    assert "colour" not in text
    schema.migrate()
    said, _ = schema.revise("nothing")
    assert "no revision is written" in said
    assert not schema.revisions("nothing")
    tests = ("tests/test_recipes.py", "tests/test_users.py", "tests/test_new_database.py")
    schema.run("python", "-m", "pytest", "-q", "-m", "not slow", "-k", OWN, *tests)


def test_index_survives_a_change_of_its_table(schema: Schema) -> None:
    """SQLite alters a table by copying it."""
    schema.edit(RECIPE, "import ForeignKey, String", "import ForeignKey, Index, String, func")
    schema.edit(RECIPE, LABEL, LABEL + INDEXES)
    schema.revise("indexes")
    schema.edit(RECIPE, "String(2000)", "String(3000)")
    schema.run("make", "migrate")
    _, text = schema.revise("longer")
    assert "index" not in text
    schema.migrate()
    query = INDEXES_OF[str(schema.service.combination["database"])]
    printed = schema.run("python", "-c", PRINT.format(query))
    assert "DESC" in printed
    assert "lower(" in printed


def test_models_that_cannot_be_compared_are_refused(schema: Schema) -> None:
    schema.edit(USER, "import String, false", "import Enum, ForeignKey, String, false")
    schema.edit(
        USER, "    name: Mapped", FAVOURITE.replace(", use_alter=True", "") + "    name: Mapped"
    )
    schema.edit(RECIPE, "import ForeignKey, String", "import Enum, ForeignKey, String")
    schema.edit(RECIPE, LABEL, LABEL + NATIVE)
    said = schema.refused()
    assert "recipe.colour: write Mapped[YourEnum]" in said
    assert "use_alter=True" in said


def test_renamed_column_keeps_its_data(schema: Schema) -> None:
    """Alembic sees a dropped column and an added one; the note says what to write instead."""
    schema.run("./prestart.sh")
    schema.edit(RECIPE, "    source: Mapped", "    origin: Mapped")
    said, text = schema.revise("rename")
    assert RENAME in said
    comments = " ".join(line.strip(" #") for line in text.splitlines())
    assert f"if origin is the new name of source, write {RENAME}" in comments
    (path,) = schema.revisions("rename")
    path.write_text(text.partition("def upgrade")[0] + RENAMING, "utf-8")
    schema.migrate()
    assert "Serious Eats" in schema.run("python", "-c", PRINT.format("SELECT origin FROM recipe"))


def test_statements_are_printed_without_a_database(workplace: Path) -> None:
    for answers in ({}, {"database": "postgresql", "job_queue": "procrastinate", "auth": True}):
        service = Service.open(DEFAULTS.but(**answers), workplace)
        printed = service.run("python", "-m", "alembic", "upgrade", "heads", "--sql")
        assert "CREATE TABLE recipe" in printed
        assert ("CREATE TABLE procrastinate_jobs" in printed) == ("job_queue" in answers)
        assert "%%" not in printed


OWN_TYPE = '''\
class Upper(TypeDecorator[str]):
    """A text in capitals."""

    impl = String(20)
    cache_ok = True


class Recipe(Base):
'''
OWN_COLUMNS = """\
    price: Mapped[Decimal | None] = mapped_column(ExactDecimal(10, 2))
    code: Mapped[str | None] = mapped_column(Upper)
"""
LONGER = "    label: Mapped[str] = mapped_column(String(255), unique=True, index=True)\n"
# What docs/schema.md says about large tables, for these tables.
BESIDE_WRITERS = '''\
def upgrade() -> None:
    """Add what the models have, beside writers."""
    with op.get_context().autocommit_block():
        op.create_index("uq_recipe_url", "recipe", ["url"], unique=True, postgresql_concurrently=True)
    op.execute("ALTER TABLE recipe ADD CONSTRAINT uq_recipe_url UNIQUE USING INDEX uq_recipe_url")
    op.create_foreign_key(
        op.f("fk_recipe_editor_id_user"), "recipe", "user", ["editor_id"], ["id"],
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE recipe VALIDATE CONSTRAINT fk_recipe_editor_id_user")
    op.execute("UPDATE recipe SET editor_id = submitter_id")
    op.execute("ALTER TABLE recipe ADD CONSTRAINT filled CHECK (editor_id IS NOT NULL) NOT VALID")
    op.execute("ALTER TABLE recipe VALIDATE CONSTRAINT filled")
    op.alter_column("recipe", "editor_id", nullable=False)
    op.execute("ALTER TABLE recipe DROP CONSTRAINT filled")


def downgrade() -> None:
    op.alter_column("recipe", "editor_id", nullable=True)
    op.drop_constraint(op.f("fk_recipe_editor_id_user"), "recipe")
    op.drop_constraint(op.f("uq_recipe_url"), "recipe")
'''


def test_type_of_a_service_is_stored_as_what_the_database_has(schema: Schema) -> None:
    """A revision that named it would fail when the code changes, and lacks its import."""
    schema.edit(RECIPE, "import ForeignKey, String", "import ForeignKey, String, TypeDecorator")
    schema.edit(
        RECIPE,
        "from app.db.base_class import Base\n",
        "from decimal import Decimal\nfrom app.db.base_class import Base\n"
        "from app.kit.db.types import ExactDecimal\n",
    )
    schema.edit(RECIPE, "class Recipe(Base):\n", OWN_TYPE)
    schema.edit(RECIPE, LABEL, LABEL + OWN_COLUMNS)
    _, text = schema.revise("own")
    is_sqlite = schema.service.combination["database"] == "sqlite"
    stored = "sa.BigInteger()" if is_sqlite else "sa.Numeric(precision=10, scale=2)"
    assert f'sa.Column("price", {stored}, nullable=True)' in text
    assert 'sa.Column("code", sa.String(length=20), nullable=True)' in text
    assert "app." not in text
    schema.migrate()


def test_long_locks_and_lost_data_are_named(schema: Schema) -> None:
    schema.edit(RECIPE, LABEL, LONGER)
    schema.edit(RECIPE, "    source: Mapped[str] = mapped_column(String(255))\n", "")
    schema.edit(RECIPE, "String(2000)", "String(1000)")
    schema.edit(USER, "String(254)", "String(300)")
    said, text = schema.revise("dangerous")
    comments = " ".join(line.strip(" #") for line in text.splitlines())
    common = [
        "recipe.source is dropped with its data: first deploy code that does not read it.",
        "recipe.url gets shorter: look for longer values",
        "this fails if rows of recipe have the same label: look for such rows.",
    ]
    locks = [
        "requests for recipe wait until all rows are written again",
        "wait until the index is built",
    ]
    assert [it for it in common if it not in said or it not in comments] == []
    is_sqlite = schema.service.combination["database"] == "sqlite"
    assert [it for it in locks if (it in said and it in comments) is is_sqlite] == []
    assert "user" not in said  # a text that gets longer is no danger


def test_column_of_a_filled_table_becomes_required(schema: Schema) -> None:
    """Nothing is half done if the migration fails, and the note says what it lacks."""
    schema.run("./prestart.sh")
    schema.edit(RECIPE, LABEL, LABEL + "    cuisine: Mapped[str | None]\n")
    schema.revise("optional")
    schema.run("make", "migrate")
    schema.edit(RECIPE, "cuisine: Mapped[str | None]", "cuisine: Mapped[str]")
    said, _ = schema.revise("required")
    assert "recipe.cuisine becomes required: update rows with NULL first" in said
    with pytest.raises(pytest.fail.Exception, match="(?i)not.null"):
        schema.run("make", "migrate")
    (path,) = schema.revisions("required")
    text = path.read_text("utf-8")
    fill = "def upgrade() -> None:\n    op.execute(\"UPDATE recipe SET cuisine = 'any'\")\n"
    path.write_text(text.replace("def upgrade() -> None:\n", fill), "utf-8")
    schema.run("make", "migrate")
    schema.run("alembic", "check")
    assert "any any any" in schema.run("python", "-c", PRINT.format("SELECT cuisine FROM recipe"))


def test_statements_of_the_guide_run_beside_writers(workplace: Path) -> None:
    schema = Schema(Service.open(DEFAULTS.but(database="postgresql"), workplace))
    schema.run("./prestart.sh")
    schema.edit(RECIPE, LABEL, LABEL + "    editor_id: Mapped[int | None]\n")
    schema.revise("editor")
    schema.run("make", "migrate")
    schema.edit(
        RECIPE,
        "editor_id: Mapped[int | None]",
        'editor_id: Mapped[int] = mapped_column(ForeignKey("user.id"))',
    )
    schema.edit(RECIPE, "String(2000)", "String(2000), unique=True")
    said, _ = schema.revise("large")
    for sentence in (
        "writers of recipe wait until all rows are checked",
        "requests for recipe wait until all rows are checked",
        "requests for recipe wait until the index is built",
    ):
        assert sentence in said
    (path,) = schema.revisions("large")
    path.write_text(path.read_text("utf-8").partition("def upgrade")[0] + BESIDE_WRITERS, "utf-8")
    schema.run("make", "migrate")
    schema.run("alembic", "check")
    schema.run("alembic", "downgrade", "-1")
    schema.run("make", "migrate")

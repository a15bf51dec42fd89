"""Write copier.yml from cookiecutter.json, so that one declaration serves both engines.

All of it comes from there, so a new question or derived value needs no edit here:

- a question `key`, its default and its entry in `__prompts__` -> a question;
- its rule in `__errors` (empty, or one sentence) -> a validator, at the prompt;
- the constants `_key` -> the hidden question `constants`, for the rules to read;
- the derived values `__key` -> the hidden question `cookiecutter`, rendered from the same text. It
  is the name that the files know, so copier needs no extension and no --trust;
- the paths in `__omit` -> `_exclude`, and `__next_steps` -> the messages at the end.

With `--check` it writes nothing and fails where copier.yml is not what it would write.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
HEAD = "# Generated from cookiecutter.json by tools/sync_copier.py; do not edit.\n"
# Not for the files: two are read here, copier refuses at its prompts and never makes what is omitted.
NOT_DERIVED = ("__prompts__", "__errors", "__refusal", "__folder", "__copied")
# Set until the last hook of cookiecutter has run. copier leaves out by itself what hooks delete.
UNFINISHED = "__unfinished"
# How cookiecutter renders; copier is told the first in its own words.
COOKIECUTTERS_OWN = ("_jinja2_env_vars", "_new_lines")

# It names no question, because an update renders the patterns of the new release with the answers
# that the old one knew: https://github.com/copier-org/copier/issues/2482
EXCLUDE = """\
# {% for path in ((cookiecutter | default({})).__omit | default('')).split() %}
/{{ path }}
# {% endfor %}"""

# copier refuses an unfit default before anybody could change it, so that one is left out.
DEFAULT = """\
# {{% set {key} %}}{default}# {{% endset %}}
# {{% set refusal %}}{rule}# {{% endset %}}
{{{{ UNSET if refusal and not _copier_conf.defaults else {key} }}}}"""

# An update drops an answer that other answers no longer allow, and would take the first choice, and
# remove all that the answer had brought, without a word. As the default it is refused. Updates always
# overwrite; their operation is not named where questions are rendered.
LAST = """\
{{{{ _external_data.last.{key} | default('{default}') if _copier_conf.overwrite
else '{default}' }}}}"""

# Any other word counts as yes in copier, and is refused by cookiecutter.
YES_OR_NO = """\
{{{{ '' if _copier_conf.data.{key} | default({key}) | string | trim | lower in
['1', 'true', 't', 'yes', 'y', 'on', '0', 'false', 'f', 'no', 'n', 'off'] else 'answer yes or no' }}}}"""

AFTER_COPY = """

Next:

    cd {{ _copier_conf.dst_path | quote }}
# {% for step in cookiecutter.__next_steps | select %}
    {{ step }}
# {% endfor %}
"""

AFTER_UPDATE = """

Next: resolve conflicts, if `git diff` shows any, then

    {{ cookiecutter.package_manager }} lock
    {{ cookiecutter.package_manager }} sync
    {{ cookiecutter.__run }} alembic upgrade heads
    {{ cookiecutter.__run }} python -m scripts.openapi
    {{ cookiecutter.__run }} pytest
"""


class Declaration:
    """What cookiecutter.json holds, by kind."""

    def __init__(self, file: Path) -> None:
        content = json.loads(file.read_text(encoding="utf-8"))
        self.prompts: dict[str, str | dict[str, str]] = content["__prompts__"]
        self.rules: dict[str, str] = content["__errors"]
        self.environment: dict[str, str | bool] = content["_jinja2_env_vars"]
        self.questions: dict[str, str | bool | list[str]] = {
            key: value for key, value in content.items() if not key.startswith("_")
        }
        self.derived: dict[str, str | list[str] | dict[str, str]] = {
            key: value if key != UNFINISHED else ""
            for key, value in content.items()
            if key.startswith("__") and key not in NOT_DERIVED
        }
        self.constants: dict[str, object] = {
            key: value
            for key, value in content.items()
            if re.match("_[^_]", key) and key not in COOKIECUTTERS_OWN
        }


def copier_yml(declaration: Declaration) -> str:
    """Return the text of copier.yml."""
    document: dict[str, object] = {
        "_min_copier_version": "9.18.0",  # the first with several patterns in one of `_exclude`
        "_subdirectory": "{{ '{{cookiecutter.project_slug}}' }}",
        "_templates_suffix": "",
        "_envops": {"undefined": "jinja2.StrictUndefined", **declaration.environment},
        "_external_data": {"last": "{{ _copier_conf.answers_file }}"},
        "_skip_if_exists": ["uv.lock", "poetry.lock"],
        "_exclude": [EXCLUDE],
        "_message_after_copy": AFTER_COPY,
        "_message_after_update": AFTER_UPDATE,
        "constants": _hidden(declaration.constants),
        **{key: _question(declaration, key) for key in declaration.questions},
        "cookiecutter": _hidden("\n".join(_namespace(declaration))),
    }
    sections = (_dumped({key: value}) for key, value in document.items())
    return "\n".join([HEAD, *sections])


def _hidden(default: object) -> dict[str, object]:
    """Describe a question that copier never asks and never stores, but knows when it renders."""
    return {"type": "json", "when": False, "default": default}


def _question(declaration: Declaration, key: str) -> dict[str, object]:
    default, prompt = declaration.questions[key], declaration.prompts[key]
    sentence, labels = (prompt, {}) if isinstance(prompt, str) else (prompt["__prompt__"], prompt)
    rule = _at_prompt(declaration, key, declaration.rules.get(key, ""))
    kind = "bool" if isinstance(default, bool) else "str"
    question: dict[str, object] = {"type": kind, "help": sentence}
    if isinstance(default, str):
        return question | _text(key, _at_prompt(declaration, key, default), rule)
    if isinstance(default, bool):
        choices = {"choices": _choices(key, {"Yes": True, "No": False}, rule)} if rule else {}
        return question | choices | {"default": default, "validator": YES_OR_NO.format(key=key)}
    choices = _choices(key, {labels[value]: value for value in default}, rule)
    first = LAST.format(key=key, default=default[0]) if rule else default[0]
    return question | {"choices": choices} | _default(key, first, rule)


def _text(key: str, default: str, rule: str) -> dict[str, str]:
    validator = {"validator": rule} if rule else {}
    return _default(key, default, rule) | validator


def _default(key: str, default: str, rule: str) -> dict[str, str]:
    if rule and "{{" in default:
        default = DEFAULT.format(key=key, default=default, rule=rule)
    return {"default": default}


def _choices(key: str, answers: dict[str, str] | dict[str, bool], rule: str) -> dict[str, object]:
    """Give each choice the rule: at a list of choices copier asks no validator of the question."""
    if not rule:
        return dict(answers)
    return {
        label: {"value": value, "validator": f"# {{% set {key} = {json.dumps(value)} %}}{rule}"}
        for label, value in answers.items()
    }


def _at_prompt(declaration: Declaration, key: str, template: str) -> str:
    """Name answers and constants as copier does, and only those that it knows at this prompt."""
    questions = list(declaration.questions)
    known = {*questions[: questions.index(key) + 1], *declaration.constants}
    if unknown := set(re.findall(r"\bcookiecutter\.(\w+)", template)) - known:
        sys.exit(f"{key}: its prompt comes before {', '.join(sorted(unknown))} is known")
    template = re.sub(r"\bcookiecutter\.(?=_)", "constants.", template)
    return re.sub(r"\bcookiecutter\.", "", template)


def _namespace(declaration: Declaration) -> Iterator[str]:
    """Yield a template of the JSON that the files see as `cookiecutter`, in cookiecutter's order.

    Each value is rendered from its own text, which may name those before it; mappings come last.
    """
    answers = ", ".join(f"{key}={key}" for key in declaration.questions)
    yield f"# {{% set cookiecutter = dict(constants, {answers}) %}}"
    for key, template in sorted(
        declaration.derived.items(), key=lambda item: isinstance(item[1], dict)
    ):
        yield from _rendered(template)
        yield f"# {{% set cookiecutter = dict(cookiecutter, {key}=value) %}}"
    yield "{{ cookiecutter | tojson }}"


def _rendered(template: str | list[str] | dict[str, str]) -> Iterator[str]:
    """Yield tags that set `value` to the rendered text, or list or mapping of texts."""
    if isinstance(template, str):
        yield f"# {{% set value %}}{template}# {{% endset %}}"
    elif isinstance(template, list):
        yield "# {% set texts = [] %}"
        for text in template:
            yield from _rendered(text)
            yield "# {% set texts = texts + [value] %}"
        yield "# {% set value = texts %}"
    else:
        yield "# {% set texts = {} %}"
        for name, text in template.items():
            yield from _rendered(text)
            yield f"# {{% set texts = dict(texts, **{{{json.dumps(name)}: value}}) %}}"
        yield "# {% set value = texts %}"


class _Dumper(yaml.SafeDumper):
    """Show templates as they are, and lists of names on few lines."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = "|" if "{{" in text or "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)

    def represent_names(self, names: list[object]) -> yaml.SequenceNode:
        flow = not any("\n" in str(name) for name in names)
        return self.represent_sequence("tag:yaml.org,2002:seq", names, flow_style=flow)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(list, _Dumper.represent_names)


def _dumped(section: dict[str, object]) -> str:
    return yaml.dump(section, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def main() -> None:
    text = copier_yml(Declaration(ROOT / "cookiecutter.json"))
    target = ROOT / "copier.yml"
    if "--check" not in sys.argv[1:]:
        target.write_text(text, encoding="utf-8", newline="\n")
    elif not target.is_file() or text != target.read_text(encoding="utf-8"):
        sys.exit("copier.yml is not what cookiecutter.json says; run: python tools/sync_copier.py")


if __name__ == "__main__":
    main()

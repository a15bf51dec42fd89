"""Refuse invalid answers: one line for each, and nothing left on disk.

The rules are `__errors` in cookiecutter.json. cookiecutter creates the folder before it runs this
hook, so `__folder` has replaced a refused slug by then: an invalid answer never becomes a path, and
the folder that cookiecutter removes is never one of the user's.
"""

import json
import sys
from pathlib import Path

answers = json.loads(r"""{{ cookiecutter | tojson }}""")
given = json.loads(r"""{{ _cookiecutter | default({}) | tojson }}""")
marks = answers["_template_marks"]

# A configuration file may hold a number; cookiecutter turns it into text, and "0" would be true.
unclear = [
    f"{question}: use true or false in the cookiecutter configuration file"
    for question, paths in answers["_only_with"].items()
    if "true" in paths and not isinstance(answers[question], bool)
]
# cookiecutter renders answers of the command line: the rules see 49 instead of a formula. The slug is
# a formula by default, and its rule holds for every result.
formulas = [
    f"{question}: use text without template marks, such as double braces"
    for question, answer in given.items()
    if question != "project_slug" and any(mark in str(answer) for mark in marks)
]
# With --overwrite-if-exists, cookiecutter would overwrite existing files that these answers omit, and
# the other hook would delete them.
standing = [
    f"{name}: exists in {Path.cwd().name}, but these answers omit it; move it first"
    for name in answers["__omit"].split()
    if Path(name).exists()
]
if refusals := answers["__refusal"].splitlines() or unclear or formulas or standing:
    sys.exit("\n".join(refusals))

"""Refuse answers that no service can be made from: one line for each, and nothing left on disk.

The rules are `__errors` in cookiecutter.json. Where one refuses, `__folder` has already replaced
the slug, because cookiecutter makes the folder before it runs this: so the answers decide about no
path before they are judged, and what it made and now removes is never a folder of the user.
"""

import json
import sys
from pathlib import Path

answers = json.loads(r"""{{ cookiecutter | tojson }}""")
given = json.loads(r"""{{ _cookiecutter | default({}) | tojson }}""")
marks = answers["_template_marks"]

# A configuration may answer with a number; cookiecutter makes a text of it, and "0" would be true.
unclear = [
    f"{question}: use true or false in your configuration of cookiecutter"
    for question, paths in answers["_only_with"].items()
    if "true" in paths and not isinstance(answers[question], bool)
]
# cookiecutter renders what the command line gives it, so the rules saw 49 instead of a formula. The
# slug is a formula by default, and safe whatever came of it.
formulas = [
    f"{question}: use text without template marks such as double braces"
    for question, answer in given.items()
    if question != "project_slug" and any(mark in str(answer) for mark in marks)
]
# With --overwrite-if-exists, cookiecutter would put what is left out in place of what is there, and
# the other hook would delete it.
standing = [
    f"{name}: it is in {Path.cwd().name} already, and these answers leave it out; move it first"
    for name in answers["__omit"].split()
    if Path(name).exists()
]
if refusals := answers["__refusal"].splitlines() or unclear or formulas or standing:
    sys.exit("\n".join(refusals))

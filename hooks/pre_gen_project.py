"""Refuse answers that no service can be made from: one line for each, and nothing left on disk.

The rules are `__errors` in cookiecutter.json. Where one refuses, `__folder` has already replaced
the slug, because cookiecutter makes the folder before it runs this: so the answers decide about no
path before they are judged, and what it made and now removes is never a folder of the user.
"""

import json
import sys
from pathlib import Path

judged = json.loads(
    r"""{{ {"refusal": cookiecutter.__refusal, "omit": cookiecutter.__omit} | tojson }}"""
)
given = json.loads(r"""{{ _cookiecutter | default({}) | tojson }}""")
marks = json.loads(r"""{{ cookiecutter._template_marks | tojson }}""")

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
    for name in judged["omit"].split()
    if Path(name).exists()
]
if refusals := judged["refusal"].splitlines() or formulas or standing:
    sys.exit("\n".join(refusals))

# {% if cookiecutter.__unfinished %}
raise SystemExit(
    "This service is unfinished, because cookiecutter did not run the hooks of its template. "
    "Generate it again without `--accept-hooks no`, or with copier, which needs no hooks."
)
# {% endif %}

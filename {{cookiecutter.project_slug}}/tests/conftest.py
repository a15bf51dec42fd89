"""The fixtures of all tests, which lie in tests/support."""

pytest_plugins = [
    "tests.support.fixtures",
    # {% if cookiecutter.auth %}
    "tests.support.login",
    # {% endif %}
]

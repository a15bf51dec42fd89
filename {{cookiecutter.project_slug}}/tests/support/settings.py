"""The settings of the tests."""

# {% if cookiecutter.auth %}
from tests.support import accounts

# {% endif %}
ALLOWED_ORIGIN = "https://allowed.example"
SETTINGS: dict[str, object] = {
    # Small, so that tests can use all connections.
    "database_pool_size": 2,
    "database_wait_seconds": 1,
    "backend_cors_origins": (ALLOWED_ORIGIN,),
    # {% if cookiecutter.auth %}
    "secret_key": accounts.SETTINGS.secret_key,
    "first_superuser_password": accounts.SETTINGS.first_superuser_password,
    # {% endif %}
    # {% if cookiecutter.rate_limit %}
    "rate_limit_requests": 1_000_000,
    # {% if cookiecutter.auth %}
    "rate_limit_login_requests": 1_000_000,
    # {% endif %}
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    "job_heartbeat_seconds": 0.02,
    # {% endif %}
    # {% if cookiecutter.job_queue == "procrastinate" %}
    "job_retries": 1,
    "job_backoff_seconds": 0.001,
    # {% endif %}
}

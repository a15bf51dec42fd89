"""Settings of the rate limit."""

from typing import Annotated

from pydantic import AfterValidator, Field, PositiveInt, SecretStr

from app.kit.settings import BaseAppSettings

MEMORY = "memory://"


def check_storage(uri: SecretStr) -> SecretStr:
    """Return the URI; raise ``ValueError``, which does not repeat it, if it is invalid."""
    if uri.get_secret_value() != MEMORY:
        # Imported here, because a service without Redis does not need its client.
        from redis.asyncio import BlockingConnectionPool

        try:
            # Does not connect, but fails for unknown parameters.
            BlockingConnectionPool.from_url(uri.get_secret_value()).make_connection()
        except (TypeError, ValueError):
            raise ValueError("must be memory:// or such as redis://user:pass@host:6379/0") from None
    return uri


class RateLimitSettings(BaseAppSettings):
    """How many requests a client may send, and where they are counted."""

    rate_limit_requests: PositiveInt = 100
    rate_limit_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    # {% if cookiecutter.auth %}
    rate_limit_login_requests: PositiveInt = 10
    # {% endif %}
    rate_limit_storage_uri: Annotated[SecretStr, AfterValidator(check_storage)] = SecretStr(MEMORY)

    def per_worker(self) -> tuple[str, ...]:
        """Add a sentence if each worker counts in its own memory."""
        inherited = super().per_worker()
        if self.rate_limit_storage_uri.get_secret_value() != MEMORY:
            return inherited
        warning = (
            "RATE_LIMIT_STORAGE_URI: memory:// counts in each worker, so every rate limit is up to "
            f"{self.workers} times as high; set a Redis to count for all workers"
        )
        return (*inherited, warning)

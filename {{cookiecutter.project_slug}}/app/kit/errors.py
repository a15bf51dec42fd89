"""What can go wrong in the domain. ``app.kit.http.problems`` says how each is answered."""


class DomainError(Exception):
    """A failure that has a meaning to the caller; its text may be shown to clients."""


class NotFoundError(DomainError):
    """The thing asked for does not exist."""


class ConflictError(DomainError):
    """The change contradicts what is stored."""


class MissingReferenceError(DomainError):
    """The change refers to something that does not exist."""


class UnavailableError(DomainError):
    """The service cannot answer now; the same request may succeed later."""
# {% if cookiecutter.auth %}


class UnauthorizedError(DomainError):
    """Nobody knows who calls."""


class ForbiddenError(DomainError):
    """The caller may not do this."""
# {% endif %}
# {% if cookiecutter.job_queue != "none" %}


class TooLargeError(DomainError):  # example
    """What was sent is larger than allowed."""  # example


class UnsuitableImageError(DomainError):  # example
    """What was sent is no image that can be used."""  # example
# {% endif %}

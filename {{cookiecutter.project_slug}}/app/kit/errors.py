"""Errors that clients may see; ``app.kit.http.problems`` has the status code of each."""


class DomainError(Exception):
    """A failure that is reported to the client with its text; raise a subclass."""


class UnauthorizedError(DomainError):
    """The credentials are missing, wrong or expired."""


class ForbiddenError(DomainError):
    """The caller lacks the permission."""


class NotFoundError(DomainError):
    """The requested resource does not exist."""


class ConflictError(DomainError):
    """The change conflicts with an existing record."""


class MissingReferenceError(ConflictError):
    """The change refers to a record that does not exist."""


class PreconditionFailedError(DomainError):
    """The client wants to change a version of the record that is not the current one."""


class PreconditionRequiredError(DomainError):
    """The client does not say which version of the record it wants to change."""


class TooLargeError(DomainError):
    """The content is larger than allowed."""


class UnprocessableError(DomainError):
    """The content is well-formed, but the service cannot use it."""


class UnavailableError(DomainError):
    """The service cannot answer now; the same request may succeed later."""

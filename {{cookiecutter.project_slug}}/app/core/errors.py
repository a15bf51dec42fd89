"""Domain errors of this service: a subclass is answered with the status code of its base."""

from app.kit.errors import UnprocessableError  # example


class UnsuitableImageError(UnprocessableError):  # example
    """The file is not an image that the service can use."""  # example

"""Domain errors of this service; a subclass has the status code of its base class."""

from app.kit.errors import UnprocessableError  # example


class UnsuitableImageError(UnprocessableError):  # example
    """The file is not an image that the service can use."""  # example

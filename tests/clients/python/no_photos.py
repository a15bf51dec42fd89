"""This service takes no photos."""


def upload(_client: object, _id: int) -> None:
    """Do nothing."""

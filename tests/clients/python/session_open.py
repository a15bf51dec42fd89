"""Create a user: a recipe names its submitter."""

import sys

from client import Client
from client.api.users import create_user
from client.models import UserCreate


def connect() -> tuple[Client, dict[str, int]]:
    """Return a client, and the fields that name an owner."""
    client = Client(sys.argv[1])
    user = create_user.sync(client=client, body=UserCreate(name="Ada", email="python@example.com"))
    return client, {"submitter_id": user.id}

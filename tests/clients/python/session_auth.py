"""Log in: recipes belong to the caller."""

import os
import sys

from client import AuthenticatedClient, Client
from client.api.auth import log_in
from client.models import PasswordForm


def connect() -> tuple[AuthenticatedClient, dict[str, int]]:
    """Return a client, and the fields that name an owner."""
    form = PasswordForm(username="admin@example.com", password=os.environ["PASSWORD"])
    tokens = log_in.sync(client=Client(sys.argv[1]), body=form)
    return AuthenticatedClient(sys.argv[1], tokens.access_token), {}

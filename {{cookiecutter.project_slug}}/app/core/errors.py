"""Domain errors of this service: subclasses of those in app.kit.errors have their status codes."""

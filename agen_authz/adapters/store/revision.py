"""The version of the store that this version of the sidecar works with."""

# The newest of migrations/versions; a test compares it with Alembic's own view.
NEWEST = "0005"


class UnknownRevisionError(Exception):
    """The store has a version that this one does not know."""

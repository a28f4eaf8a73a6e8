"""Requests for approval, the messages that tell people of them, and what the console remembers of browsers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# SQLite counts by itself only if the type is exactly this.
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _make_requests()
    _make_messages()
    op.create_table(
        "console_session",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
    )
    _index("console_session", "ends_at", ["ends_at"])


def _make_requests() -> None:
    op.create_table(
        "approval_request",
        # The order in which they were made: the clocks of replicas differ.
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        # None if nothing is due any more: it has ended.
        sa.Column("due_at", sa.Double, nullable=True),
        sa.Column("grant_until", sa.Double, nullable=True),
        sa.Column("used_at", sa.Double, nullable=True),
        # All of it, as JSON; the columns `status`, `version` and `used_at` are newer.
        sa.Column("document", sa.Text, nullable=False),
        # None once it is erased.
        sa.Column("kept", sa.LargeBinary, nullable=True),
    )
    _index("approval_request", "live", ["key"], "status IN ('open', 'approved')", is_unique=True)
    _index("approval_request", "key", ["key", "number"])
    _index("approval_request", "open", ["issuer", "subject"], "status = 'open'")
    _index("approval_request", "due_at", ["due_at"], "due_at IS NOT NULL")
    _index("approval_request", "created_at", ["created_at"])
    _index("approval_request", "kept", ["created_at"], "kept IS NOT NULL")


def _make_messages() -> None:
    op.create_table(
        "approval_message",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("occasion", sa.String(16), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        # None once it was sent or given up.
        sa.Column("due_at", sa.Double, nullable=True),
        # While it may be under way.
        sa.Column("taken_at", sa.Double, nullable=True),
        sa.Column("sent_at", sa.Double, nullable=True),
    )
    _index("approval_message", "due_at", ["due_at"], "due_at IS NOT NULL")
    _index("approval_message", "taken_at", ["taken_at"], "taken_at IS NOT NULL")
    _index("approval_message", "sent_at", ["sent_at"], "sent_at IS NOT NULL")
    _index("approval_message", "ended", ["created_at"], "due_at IS NULL")


def _index(table: str, name: str, columns: list[str], of: str | None = None, *, is_unique: bool = False) -> None:
    where = None if of is None else sa.text(of)
    op.create_index(f"{table}_{name}", table, columns, unique=is_unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in ("console_session", "approval_message", "approval_request"):
        op.drop_table(name)

"""Requests for approval by who made them, by tenant, and by their end: what bounds and pages ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("status = 'open'")
_INDEXES = ("owner", "tenant", "ends_at")
# What the document says, as a column.
_FILL = {
    "sqlite": "json_extract(document, '$.ends_at')",
    "postgresql": "CAST(CAST(document AS json) ->> 'ends_at' AS double precision)",
}


def upgrade() -> None:
    op.add_column("approval_request", sa.Column("ends_at", sa.Double, nullable=True))
    request = sa.table("approval_request", sa.column("ends_at"))
    op.execute(sa.update(request).values(ends_at=sa.literal_column(_FILL[op.get_bind().dialect.name])))
    op.create_index("approval_request_owner", "approval_request", ["issuer", "subject", "created_at"])
    op.create_index("approval_request_tenant", "approval_request", ["tenant", "created_at"])
    op.create_index(
        "approval_request_ends_at",
        "approval_request",
        ["ends_at"],
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(f"approval_request_{name}", "approval_request")
    op.drop_column("approval_request", "ends_at")

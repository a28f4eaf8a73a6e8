"""Requests for approval by who made them and when, and by tenant: what bounds and pages ask for."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("approval_request_owner", "approval_request", ["issuer", "subject", "created_at"])
    op.create_index("approval_request_tenant", "approval_request", ["tenant", "created_at"])


def downgrade() -> None:
    for name in ("approval_request_tenant", "approval_request_owner"):
        op.drop_index(name, "approval_request")

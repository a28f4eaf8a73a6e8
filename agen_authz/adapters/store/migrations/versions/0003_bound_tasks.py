"""Whose tasks are, and of which tool."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bound_task",
        sa.Column("server", sa.String(64), primary_key=True),
        # Of the task's id.
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("tool", sa.String(256), nullable=False),
        sa.Column("bound_at", sa.Double, nullable=False),
    )
    op.create_index("bound_task_bound_at", "bound_task", ["bound_at"])


def downgrade() -> None:
    op.drop_table("bound_task")

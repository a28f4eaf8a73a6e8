"""Definitions of tools: seen, approved, and who approved them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_definition",
        sa.Column("server", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(256), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        # None if it is too long to be kept.
        sa.Column("definition", sa.Text, nullable=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.Double, nullable=False),
        sa.Column("last_seen", sa.Double, nullable=False),
        sa.Column("approved_at", sa.Double, nullable=True),
        sa.Column("approved_by", sa.String(256), nullable=False),
    )
    op.create_table(
        "catalogue_tool",
        sa.Column("server", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(256), primary_key=True),
        sa.Column("last_digest", sa.String(64), nullable=False),
        sa.Column("last_seen", sa.Double, nullable=False),
    )
    op.create_table(
        "pin_record",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("is_told", sa.Boolean, nullable=False),
    )
    versions = op.create_table(
        "catalogue_version",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.bulk_insert(versions, [{"id": 1, "version": 0}])


def downgrade() -> None:
    for name in ("catalogue_version", "pin_record", "catalogue_tool", "catalogue_definition"):
        op.drop_table(name)

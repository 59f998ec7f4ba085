"""Alembic's entry point: it runs the versions on the connection that `migrate.upgrade` passes."""

from __future__ import annotations

from alembic import context

from realtime.backends.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

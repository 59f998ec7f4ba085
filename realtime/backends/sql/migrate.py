"""Migrations: each database starts with its own first versions, and later versions are written for all of them.

Those of a database are in the folder of its name.
"""

from __future__ import annotations

import sqlite3
from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from realtime.errors import StoreUnusable

__all__ = ["migrate", "newest_revision", "upgrade"]


def migrate(engine: Engine) -> None:
    """Bring the tables of a SQLite database to the newest version.

    Raises:
        StoreUnusable: the file cannot be opened, or is no database of this program.
    """
    try:
        with engine.begin() as connection:
            upgrade(connection)
    # CommandError: the tables are those of a newer version.
    except (SQLAlchemyError, CommandError, sqlite3.Error, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"cannot open the database {engine.url.database}: {reason}") from error


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest version, inside the transaction of `connection`.

    Raises:
        CommandError: the tables are those of a newer version.
        SQLAlchemyError: the database does not answer, or the tables are not those of this program.
    """
    config = _config(connection.dialect.name)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def newest_revision() -> str:
    """Return the revision of the tables of this version, which all databases share."""
    return ScriptDirectory.from_config(_config("sqlite")).get_current_head() or ""


def _config(dialect: str) -> Config:
    scripts = resources.files("realtime.backends.sql") / "migrations"
    versions = scripts / "versions"
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{versions / dialect}\n{versions}")
    return config

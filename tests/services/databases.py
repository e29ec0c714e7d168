"""Fresh databases on the PostgreSQL and Redis servers of the tests."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import psycopg
import redis
from psycopg import sql
from sqlalchemy import make_url


@dataclass
class PostgresqlDatabases:
    """Makes databases on one server; calling it returns the address of a fresh one.

    Args:
        admin_url: SQLAlchemy address of a user who may create databases.
    """

    admin_url: str
    _made: list[str] = field(default_factory=list)

    def __call__(self, *, template: str | None = None) -> str:
        """Return the address (`postgresql+psycopg://…`) of a new database.

        Args:
            template: address of a database to copy, with its tables and rows; nobody may be
                connected to it. Much quicker than running all migrations again.
        """
        name = f"test_{secrets.token_hex(6)}"
        source = make_url(template).database if template else "template1"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(command.format(sql.Identifier(name), sql.Identifier(source or "template1")))
        self._made.append(name)
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    def drop_all(self) -> None:
        """Drop what was made here, throwing out whoever is still connected."""
        for name in self._made:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            self._run(drop.format(sql.Identifier(name)))
        self._made.clear()

    def _run(self, command: sql.Composed) -> None:
        address = make_url(self.admin_url).set(drivername="postgresql")
        with psycopg.connect(
            address.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(command)


@dataclass
class RedisDatabases:
    """Hands out empty numbered databases of one server, `count` of them from `first` on, in turn."""

    url: str
    first: int = 0
    count: int = 16
    _given: int = 0

    def __call__(self) -> str:
        """Return the address of a database, emptied."""
        number = self.first + self._given % self.count
        self._given += 1
        address = f"{self.url}/{number}"
        with redis.Redis.from_url(address) as client:
            client.flushdb()
        return address

"""Fixtures for every test. Those of a room stand in its own conftest.py."""

pytest_plugins = [
    "tests.services.plugin",
    "tests.services.fixtures",
    "tests.platforms",
    "tests.live",
    "tests.mailbox",
]

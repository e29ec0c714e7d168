"""A small public catalogue, as the pages' tests have it."""

from tests.portal.web.conftest import site, visitor

__all__ = ["site", "visitor"]

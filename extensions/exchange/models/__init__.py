"""Models of exchange, one noun a file."""

from extensions.exchange.models.dump import CatalogueDump

__all__ = ["CatalogueDump"]

"""Models of exchange, one noun a file."""

from extensions.exchange.models.change import CatalogueChange
from extensions.exchange.models.dump import CatalogueDump
from extensions.exchange.models.series import DatasetSeries, SeriesMember

__all__ = ["CatalogueChange", "CatalogueDump", "DatasetSeries", "SeriesMember"]

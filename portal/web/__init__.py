"""HTML routes."""

from portal.web import (
    about,
    catalogue,
    dataset,
    developers,
    display,
    files,
    health,
    home,
    language,
    login,
    organisations,
    regions,
    site_files,
    suggest,
    table_data,
)
from portal.web.work import WORK_BLUEPRINTS

PAGE_BLUEPRINTS = (
    home.blueprint,
    catalogue.blueprint,
    suggest.blueprint,
    dataset.blueprint,
    files.blueprint,
    table_data.blueprint,
    organisations.blueprint,
    regions.blueprint,
    about.blueprint,
    language.blueprint,
    developers.blueprint,
    display.blueprint,
    site_files.blueprint,
    login.blueprint,
    health.blueprint,
    *WORK_BLUEPRINTS,
)

"""HTML routes."""

from portal.web import health, login

PAGE_BLUEPRINTS = (login.blueprint, health.blueprint)

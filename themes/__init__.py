"""Themes: templates and static files; a theme overrides file by file."""

"""The extension's branch of migrations."""

"""The Flask application: accounts, organisations, catalogue, data, pages, APIs."""

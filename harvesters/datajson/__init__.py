"""Project Open Data: the `data.json` of an agency, schema 1.1 and DCAT-US 3."""

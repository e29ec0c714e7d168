"""DCAT catalogues in RDF: RDF/XML, Turtle, N-Triples, JSON-LD; also in Hydra's pages."""

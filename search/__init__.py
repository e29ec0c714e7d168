"""One search request, two engines: embedded (tantivy) and Elasticsearch."""

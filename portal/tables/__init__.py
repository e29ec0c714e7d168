"""Tabular data: parse, type, query, export.

A file goes `reader.read_table` → `store.build_table` → `info.TableInfo` (kept by the caller, as
JSON) and Parquet in storage. Rows come back by `cache.TableCache.run` as pages and by
`export.export_rows` as downloads; `json_values` writes them for APIs.
"""

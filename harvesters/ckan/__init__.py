"""CKAN sources, other Xiangyun instances among them."""

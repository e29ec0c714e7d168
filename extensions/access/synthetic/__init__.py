"""Made-up rows for sandboxes: shaped like the real table, without a row or a guarded value of it.

`facts` says what may be known of the real table and `measuring` looks; `draws` invents values by it,
`rows` puts them together and throws away what meets the real table, `made_table` keeps the rest.
"""

"""Tables of words: which heading means which field, which word means which code."""

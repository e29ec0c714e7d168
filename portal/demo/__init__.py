"""The sample catalogue that `make run` loads into an empty portal."""

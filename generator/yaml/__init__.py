"""YAML: read with the position of every value, and written so that all parsers agree."""

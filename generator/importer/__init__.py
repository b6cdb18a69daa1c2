"""The importer: entries under `models:` made from what people have."""

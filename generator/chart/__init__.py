"""The charts: rendered from generator/data, and kept in a cache for Helm."""

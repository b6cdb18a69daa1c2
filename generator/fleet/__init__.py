"""A fleet: many clusters over one base, rendered together, each into a folder of its own."""

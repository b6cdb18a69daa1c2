"""The values: what there is (schema), what a user says (load), and whether it is right (check)."""

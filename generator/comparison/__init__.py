"""What a change does: two sides compared object by object, and what is risky about it."""

"""The images that values use: who names each, how to copy them, and what pins them."""

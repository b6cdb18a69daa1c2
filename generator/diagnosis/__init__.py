"""What is broken in a live cluster: read from it, looked through, and told with its remedy."""

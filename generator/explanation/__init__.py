"""What a value is and does, and where a field of an object comes from."""

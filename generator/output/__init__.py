"""The output: files written into a user's folder, all or none, with a record of them."""

"""The command line: a module per command, and what the commands share."""

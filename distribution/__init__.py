"""What a release of kserve-lite consists of, and how it is made; not part of what is shipped."""

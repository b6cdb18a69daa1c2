"""What an installation is made of, and the way that a request takes through it, as a diagram."""

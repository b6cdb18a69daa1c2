"""What is printed of a claim."""


def verdict(name: str, measured: float, limit: float) -> bool:
    """Print a line about a claim; whether it holds."""
    holds = measured <= limit
    print(f"{'ok  ' if holds else 'MISS'} {measured:5.2f} (at most {limit})  {name}")
    return holds

"""Words for people: counts with the number that fits them."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with what is counted: "1 plot", "2,000 plots"; many : where it isn't `one` with an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"

"""How many items a CPU worker cuts at once."""


def pool_size(asked: int, cores: int | None) -> int:
    """What was asked for; else one per core but one, which is left to the rest of the machine.

    >>> pool_size(0, 8), pool_size(0, 1), pool_size(12, 8)
    (7, 1, 12)
    """
    return asked or max(1, (cores or 1) - 1)

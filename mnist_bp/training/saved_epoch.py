"""Default of ``--keep``, the epoch whose model is saved."""

__all__ = ["default_keep"]


def default_keep(early_stop: int | None) -> str:
    """Return the epoch that is saved by default: the best one with an early stop, otherwise the last one."""
    return "last" if early_stop is None else "best"

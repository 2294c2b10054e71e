"""Files that are recognised but not read: pickles, which could run a program, and MATLAB files."""

from mnist_bp.data.layouts import MANUAL, REFUSED
from mnist_bp.data.tree import Folder

__all__ = ["refusal"]


def refusal(folder: Folder) -> str | None:
    """Return the error about the first such file in a folder, or None."""
    for name, stored in folder.files.items():
        for refused in REFUSED:
            if name.lower().endswith(refused.endings):
                return (
                    f"{stored} is a {refused.word}, which is not read; convert it by two lines of Python, see {MANUAL}"
                )
    return None

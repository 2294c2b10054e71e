"""Arguments of ``train``, for one network or several."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_bp.cli.options import require_accuracy
from mnist_bp.training.settings import Settings

if TYPE_CHECKING:
    from mnist_bp.data.datasets import Dataset
    from mnist_bp.training.ranks import Ranks

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """Training to run.

    Attributes
    ----------
    settings, data
        Settings, and the dataset, already loaded, so that nothing is left to download.
    ranks
        Processes that share the work.
    output, name
        Folder of the new run, None: ``runs/<time>-<sizes>``; and its name, see ``RunFolder.create``.
    resume
        Folder of the run to resume, None: a new run.
    max_seconds
        Limit of the wall time of all epochs in seconds, None: no limit.
    min_accuracy
        Required test accuracy, 0 to 1, None: no requirement. Of several networks, the mean has to reach it.
    started
        Start of the command, by ``time.perf_counter``.
    """

    settings: Settings
    data: "Dataset"
    ranks: "Ranks"
    output: Path | None = None
    resume: Path | None = None
    name: str | None = None
    max_seconds: float | None = None
    min_accuracy: float | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds since the start of the command."""
        return time.perf_counter() - self.started

    def require_accuracy(self, accuracy: float, *, name: str = "test accuracy") -> None:
        """Raise AnswerIsNo if an accuracy, 0 to 1, is below ``min_accuracy``."""
        require_accuracy(accuracy, self.min_accuracy, name)

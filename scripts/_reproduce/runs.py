"""Training of one recipe with one seed in a separate process. It can be resumed, and its result is saved."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from _reproduce.recipes import Recipe
from mnist_bp.storage.atomic import write_text

TRAIN = (sys.executable, "-m", "mnist_bp", "train")
DATASET: Literal["mnist"] = "mnist"
DONE = {"finished", "early-stop"}
"""Reasons for the end of a successful training."""

INTERRUPTED = {130, -signal.SIGINT}
PATIENCE = 5.0
"""Seconds to wait for a training to end, because a terminal's Ctrl-C has reached it as well and it must save files."""


_processes: set["subprocess.Popen[str]"] = set()
"""Trainings that run now."""


class Failed(Exception):
    """Training that did not finish; the text is the reason."""


@dataclass(frozen=True)
class Run:
    """Training of a recipe with a seed, in ``results``/<recipe>/seed-<seed>, with three files beside it.

    The .toml file is a copy of the recipe, which may change in configs/ during the training.

    The .json file is the state: the ``settings`` (SHA-256), the ``machine``, the ``seconds`` of the epochs so far, the
    ``start`` record, and, at the end, the ``end`` record. The .log file is the standard error of ``train``.
    """

    recipe: Recipe
    seed: int
    results: Path

    @property
    def name(self) -> str:
        """Name for messages."""
        return f"{self.recipe.name}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        """Run folder."""
        return self.results / self.recipe.name / f"seed-{self.seed}"

    @property
    def log(self) -> Path:
        """File with the standard error of ``train``."""
        return self.folder.with_suffix(".log")

    def kept(self) -> dict[str, Any] | None:
        """Return the state, or None if there is none or its settings differ."""
        try:
            kept = json.loads(self._record.read_bytes())
            return kept if kept["settings"] == self.recipe.sha256 else None
        except (OSError, ValueError, TypeError, KeyError):  # an invalid file counts as missing
            return None

    @property
    def is_done(self) -> bool:
        """True if there is a result."""
        kept = self.kept()
        return kept is not None and kept["end"] is not None

    @property
    def _record(self) -> Path:
        return self.folder.with_suffix(".json")

    @property
    def _config(self) -> Path:
        return self.folder.with_suffix(".toml")

    @property
    def _can_resume(self) -> bool:
        return self.kept() is not None and (self.folder / "checkpoint.npz").is_file()

    def finish(self, data_dir: Path | None, machine: str) -> None:
        """Train or resume, and save the result. Do nothing if it is already finished.

        Raises
        ------
        Failed
            If the training does not finish.
        KeyboardInterrupt
            If the training or this process is interrupted.
        """
        if self.is_done:
            print(f"{self.name}: already finished", flush=True)
            return
        if self._can_resume:
            print(f"{self.name}: resuming {self.folder}", flush=True)
            self._add_machine(machine)
            try:
                self._train("--resume", str(self.folder))
            except Failed as failure:
                raise Failed(f"{failure}; to start again, remove {self.folder}") from failure
            return
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        self._keep({"settings": self.recipe.sha256, "machine": machine, "seconds": 0.0, "start": None, "end": None})
        write_text(self._config, self.recipe.text)
        options = ["--config", str(self._config), "--seed", str(self.seed), "--output", str(self.folder)]
        source = ["--dataset", DATASET, *(["--data-dir", str(data_dir)] if data_dir else [])]
        self._train(*options, *source)

    def _add_machine(self, machine: str) -> None:
        """Record that the training continues on another machine or with another kernel, which has other times."""
        kept = self.kept()
        if kept is not None and not kept["machine"].endswith(machine):
            self._keep(kept | {"machine": f"{kept['machine']}, then {machine}"})

    def _train(self, *options: str) -> None:
        """Run ``train``, print each epoch, and save its records."""
        kept = self.kept()
        assert kept is not None
        before, started = kept["seconds"], time.perf_counter()
        with self.log.open("ab") as log, _process([*TRAIN, *options, "--json"], log) as process:
            for record in _records(process):
                kept["seconds"] = before + time.perf_counter() - started
                self._take(record, kept)
        if process.returncode in INTERRUPTED:
            raise KeyboardInterrupt
        if process.returncode or kept["end"] is None or kept["end"]["reason"] not in DONE:
            raise Failed(f"{self.name}: {self._last_words(process.returncode)}")
        self._keep(kept)
        print(
            f"{self.name}: test error {percent(error(kept['end']['test_accuracy']))}, {kept['seconds'] / 60:.1f} min",
            flush=True,
        )

    def _take(self, record: dict[str, Any], kept: dict[str, Any]) -> None:
        match record["event"]:
            case "start":
                if record["dataset"] != DATASET or "synthetic" in record:
                    raise Failed(f"{self.name}: expected a training on {DATASET}, not on {record['dataset']}")
                kept["start"] = record
            case "epoch":
                self._keep(kept)
                epoch = f"epoch {record['epoch']}/{kept['start']['epochs']}"
                figures = f"test error {percent(error(record['test_accuracy']))}, {record['seconds']:.1f} s"
                print(f"{self.name}: {epoch}, {figures}", flush=True)
            case "end":
                kept["end"] = record

    def _keep(self, kept: dict[str, Any]) -> None:
        write_text(self._record, json.dumps(kept, indent=1) + "\n")

    def _last_words(self, code: int) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"exit code {code}: {lines[-1] if lines else 'no message'}; full log: {self.log}"


def error(accuracy: float) -> float:
    """Return the test error in % with two decimals, as 10,000 examples have."""
    return round(100 * (1 - accuracy), 2)


def percent(value: float) -> str:
    """Return a test error with its unit."""
    return f"{value:.2f} %"


@contextmanager
def _process(command: list[str], log: Any) -> Iterator["subprocess.Popen[str]"]:
    """Run a command whose output is read in the block. An exception in the block ends the command, too."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, encoding="utf-8"
    ) as process:
        _processes.add(process)
        try:
            yield process
        except BaseException:
            _end(process)
            raise
        finally:
            _processes.discard(process)


def end_running() -> None:
    """End the trainings that run now, in whatever thread, after they have saved their finished epochs."""
    for process in [*_processes]:
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    """Wait for the process to end, then interrupt it like Ctrl-C, so that it saves its finished epochs."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        if os.name == "nt":  # Windows cannot send Ctrl-C to a single process
            process.terminate()
        else:
            process.send_signal(signal.SIGINT)
        process.wait()


def _records(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)

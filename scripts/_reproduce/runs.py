"""One recipe, one seed: trained in a process of its own, gone on with where it was cut short, kept once it is done."""

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
"""How a training that counts may have ended."""

INTERRUPTED = {130, -signal.SIGINT}
PATIENCE = 5.0
"""Seconds that a training has to end by itself: a terminal's Ctrl-C has reached it as well, and it has much to save."""


class Failed(Exception):
    """A training that did not come to its end; the text says why."""


@dataclass(frozen=True)
class Run:
    """The training of a recipe with a seed, in ``results``/<recipe>/seed-<seed>, with three files beside it.

    The .toml is the recipe as it is trained, whatever becomes of the one in configs/ meanwhile.

    The .json says what has been done so far: the ``settings`` (SHA-256), the ``machine``, the ``seconds`` that the
    epochs until now have taken, the ``start`` record, and, once it is done, the ``end`` record. The .log is what
    ``train`` says to people.
    """

    recipe: Recipe
    seed: int
    results: Path

    @property
    def name(self) -> str:
        """As people are told."""
        return f"{self.recipe.name}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.results / self.recipe.name / f"seed-{self.seed}"

    @property
    def log(self) -> Path:
        """What ``train`` says on standard error."""
        return self.folder.with_suffix(".log")

    def kept(self) -> dict[str, Any] | None:
        """What has been done with these settings; None if nothing, or with others."""
        try:
            kept = json.loads(self._record.read_bytes())
            return kept if kept["settings"] == self.recipe.sha256 else None
        except (OSError, ValueError, TypeError, KeyError):  # what makes no sense is as good as not written
            return None

    @property
    def is_done(self) -> bool:
        """Whether there is a result."""
        kept = self.kept()
        return kept is not None and kept["end"] is not None

    @property
    def _record(self) -> Path:
        return self.folder.with_suffix(".json")

    @property
    def _config(self) -> Path:
        return self.folder.with_suffix(".toml")

    @property
    def _can_go_on(self) -> bool:
        return self.kept() is not None and (self.folder / "checkpoint.npz").is_file()

    def finish(self, data_dir: Path | None, machine: str) -> None:
        """Train, or go on with it, and keep the result; nothing if it is done already.

        Raises
        ------
        Failed
            If it ends otherwise.
        KeyboardInterrupt
            If it, or this, is interrupted.
        """
        if self.is_done:
            print(f"{self.name}: done before", flush=True)
            return
        if self._can_go_on:
            print(f"{self.name}: going on with {self.folder}", flush=True)
            try:
                self._train("--resume", str(self.folder))
            except Failed as failure:
                raise Failed(f"{failure}; to begin anew, remove {self.folder}") from failure
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

    def _train(self, *options: str) -> None:
        """Run ``train``, show each epoch, and keep what it tells."""
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
        print(f"{self.name}: test error {percent(error(kept['end']))}, {kept['seconds'] / 60:.1f} min", flush=True)

    def _take(self, record: dict[str, Any], kept: dict[str, Any]) -> None:
        match record["event"]:
            case "start":
                if record["dataset"] != DATASET or "synthetic" in record:
                    raise Failed(f"{self.name}: it was to train on {DATASET}, not on {record['dataset']}")
                kept["start"] = record
            case "epoch":
                self._keep(kept)
                epoch = f"epoch {record['epoch']}/{kept['start']['epochs']}"
                print(
                    f"{self.name}: {epoch}, test error {percent(error(record))}, {record['seconds']:.1f} s", flush=True
                )
            case "end":
                kept["end"] = record

    def _keep(self, kept: dict[str, Any]) -> None:
        write_text(self._record, json.dumps(kept, indent=1) + "\n")

    def _last_words(self, code: int) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"exit code {code}: {lines[-1] if lines else 'without a word'}; all of it: {self.log}"


def error(record: dict[str, Any]) -> float:
    """The test error of an epoch's or an end's record, in %, to the two decimals that 10,000 examples have."""
    return round(100 * (1 - float(record["test_accuracy"])), 2)


def percent(value: float) -> str:
    """A test error as people read it."""
    return f"{value:.2f} %"


@contextmanager
def _process(command: list[str], log: Any) -> Iterator["subprocess.Popen[str]"]:
    """Run a command whose output is read in the block; whatever cuts the block short ends the command too."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, encoding="utf-8"
    ) as process:
        try:
            yield process
        except BaseException:
            _end(process)
            raise


def _end(process: "subprocess.Popen[str]") -> None:
    """Let it end, or make it: as by Ctrl-C, so that it saves what it has."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        if os.name == "nt":  # no process there can be told of Ctrl-C alone
            process.terminate()
        else:
            process.send_signal(signal.SIGINT)
        process.wait()


def _records(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)

"""Kill the set-up of a fresh checkout at random moments; the next call has to work, and to leave nothing behind.

python tests/support/kill_set_up.py 20 [SECONDS]

It installs the real dependencies, each time anew. The kills come within the first SECONDS (default: as long as a whole
set-up takes; those that come too late do not count), by Ctrl-C, SIGTERM or SIGKILL in turns, to the whole group of
processes or to the script alone.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def start(checkout):
    """Begin the first command, as the leader of its group of processes."""
    command = [sys.executable, checkout / "scripts/mnist-bp", "--version"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(checkout):
    """Run the first command to its end; the seconds that it took."""
    began = time.monotonic()
    with start(checkout) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.startswith("mnist-bp "), out
    left = {path.name for path in checkout.glob(".venv*")}
    assert left == {".venv", ".venv.lock"}, left
    return time.monotonic() - began


def kill(checkout, seconds, deadly, *, group):
    """Kill a set-up after this number of seconds. Return True if it was still running."""
    with start(checkout) as process:
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(process.pid, deadly)
        err = process.communicate()[1]
    assert "Traceback" not in err or deadly == signal.SIGKILL, err
    return process.returncode not in {0, None}


def main():
    """Do it as often as the command line says."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    rng = random.Random(0)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # in the background, a shell has it ignored, here and below
    with tempfile.TemporaryDirectory() as temporary:
        checkout = Path(temporary, "checkout")
        shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".venv*", ".git", "runs", ".*_cache"))
        whole = finish(checkout)
        latest = float(sys.argv[2]) if len(sys.argv) > 2 else whole
        killed = missed = 0
        while killed < kills:
            shutil.rmtree(checkout / ".venv", ignore_errors=True)
            deadly, group, seconds = SIGNALS[killed % 3], rng.random() < 0.5, rng.uniform(0, latest)
            if not kill(checkout, seconds, deadly, group=group):  # it was done before
                missed += 1
                continue
            killed += 1
            after = finish(checkout)
            whom = "group" if group else "script"
            line = f"{killed}: {deadly.name} to the {whom} after {seconds:.1f} s; the next call worked, {after:.1f} s"
            print(line, flush=True)  # noqa: T201 - a script
        print(f"{killed} kills, {missed} came too late; each time the next call worked")  # noqa: T201 - a script


if __name__ == "__main__":
    main()

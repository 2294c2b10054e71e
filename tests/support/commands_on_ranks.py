"""Program for mpiexec that runs several commands one after the other on the same ranks. See ``mpi.commands_on``."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from mpi4py import MPI

from mnist_bp.cli import ranks
from mnist_bp.cli.main import main


def outcome(folder: str, arguments: list[str]) -> tuple[int, str, str]:
    """Run a command in a folder. Return its exit code, standard output and standard error on this rank."""
    os.chdir(folder)
    code = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


rank, finalize = MPI.COMM_WORLD.rank, MPI.Finalize
MPI.Finalize = lambda: None  # which each command calls at its end
ranks.LINGER = 0  # mpiexec sees no exit code of a command
place = Path(sys.argv[1])
commands = json.loads((place / "commands.json").read_text(encoding="utf-8"))
outcomes = [outcome(folders[rank], arguments) for folders, arguments in commands]
(place / f"{rank}.json").write_text(json.dumps(outcomes), encoding="utf-8")
finalize()

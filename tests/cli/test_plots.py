"""``--plot``: which pictures there are when, what is said of them, and what is refused before anything is done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_bp.errors import StorageError
from mnist_bp.network import load_network
from mnist_bp.reports.figures import curves, picture
from mnist_bp.reports.training import TrainingReport
from mnist_bp.shell import command_line

OF_A_NETWORK = ["first-layer-weights", "confusion", "mistakes"]
OF_A_TRAINING = ["learning-curves", "gradient-norms", *OF_A_NETWORK]


@pytest.fixture
def train(cli, idx_folder):
    """Run ``mnist-bp train`` on 100 of the few digits, into the folder ``run``, for two epochs unless told so."""

    def run(*arguments, epochs=2, folder=idx_folder):
        return cli("train", "--data-dir", folder, "--limit", 100, "--hidden", 4, "--epochs", epochs,
                   "--output", "run", *arguments)  # fmt: skip

    return run


@pytest.fixture
def drawn(monkeypatch):
    """The pictures that would have been saved, by path, for those who do not look at files."""
    pictures = {}
    monkeypatch.setattr(picture, "save", lambda one, path: pictures.update({path: one}))
    return pictures


def paths(names, file_format="png"):
    """Return the paths of pictures."""
    return [Path("run") / f"{name}.{file_format}" for name in names]


def heads(pictures):
    """Title and lines at the top of each picture."""
    return {path.stem: " ".join(text.get_text() for text in one.figure.texts) for path, one in pictures.items()}


# --- what is drawn ---------------------------------------------------------------------------------------------------


def test_a_resumed_run_is_drawn_from_its_first_epoch(cli, train, monkeypatch):
    """Five pictures beside the model, and a line that says where; --plot goes with --resume, and into no config."""
    assert train().code == 0
    seen = []
    draw = curves.learning_curves
    monkeypatch.setattr(curves, "learning_curves", lambda epochs, *rest: seen.extend(epochs) or draw(epochs, *rest))
    done = cli("train", "--resume", "run", "--epochs", 3, "--plot", "--plot-format", "svg", "--json")
    assert done.code == 0
    assert done.records[-1]["plots"] == [str(path) for path in paths(OF_A_TRAINING, "svg")]
    assert f"plots    {', '.join(map(str, paths(OF_A_TRAINING, 'svg')))}" in done.err.splitlines()
    assert [path.read_bytes()[:5] for path in paths(OF_A_TRAINING, "svg")] == [b"<?xml"] * 5
    assert [record["epoch"] for record in seen] == [1, 2, 3]
    assert "plot" not in Path("run/config.toml").read_text(encoding="utf-8")


def test_what_a_power_failure_took_from_the_history_is_not_drawn(cli, train, drawn, monkeypatch):
    """Half of a line, or all of it: the epochs that are left have their numbers."""
    train()
    history = Path("run/history.jsonl")
    history.write_bytes(history.read_bytes()[:-10])
    seen = []
    draw = curves.learning_curves
    monkeypatch.setattr(curves, "learning_curves", lambda epochs, *rest: seen.extend(epochs) or draw(epochs, *rest))
    assert cli("train", "--resume", "run", "--epochs", 3, "--plot").code == 0
    assert [record["epoch"] for record in seen] == [1, 3]
    assert list(drawn) == paths(OF_A_TRAINING)


def test_every_picture_states_what_network_and_what_data(train, drawn, idx_folder):
    """It shows sizes, functions, epochs and seed, and marks synthetic digits as synthetic."""
    folder = idx_folder.rename(idx_folder.with_name("synthetic-7"))
    assert train("--plot", "--seed", 7, folder=folder).code == 0
    assert list(drawn) == paths(OF_A_TRAINING)
    for text in heads(drawn).values():
        assert "784-4-10, sigmoid, squared-error; trained on synthetic-7 (SYNTHETIC digits" in text
        assert "2 epochs, seed 7" in text
    assert "100 training and 250 test examples" in heads(drawn)["learning-curves"]
    assert "test set: 250 examples, accuracy " in heads(drawn)["confusion"]


@pytest.mark.parametrize(("after", "files"), [(1, OF_A_TRAINING), (0, [])])
def test_an_interrupted_training_is_drawn_if_an_epoch_has_ended(train, drawn, monkeypatch, after, files):
    """It shows the number of finished epochs and of all."""
    show = "step" if after == 0 else "epoch"

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingReport, show, stop)
    assert train("--plot").code == 130
    assert list(drawn) == paths(files)
    assert not files or "1 of 2 epochs, seed 0" in heads(drawn)["mistakes"]


def test_evaluate_draws_the_network_and_its_answers(cli, train, drawn, idx_folder):
    """Three pictures beside the model, said in a line, and the keys of --json have them; asked for or not."""
    train()
    done = cli("evaluate", "run/model.npz", "--data-dir", idx_folder, "--plot", "--json")
    assert done.code == 0
    assert done.records[0]["plots"] == [str(path) for path in paths(OF_A_NETWORK)]
    assert f"plots    {', '.join(map(str, paths(OF_A_NETWORK)))}" in done.err.splitlines()
    assert list(drawn) == paths(OF_A_NETWORK)
    assert "plots" not in cli("evaluate", "run", "--json").records[0]


def test_a_run_that_is_read_only_is_drawn_elsewhere(cli, train, monkeypatch):
    """Beside the model, nothing can be written: exit 3 and what to do; --output is created, and said."""
    train()
    write = picture.atomic_write

    def read_only(path, **options):
        if path.resolve().parent == Path("run").resolve():
            raise PermissionError(13, "Permission denied", str(path))
        return write(path, **options)

    monkeypatch.setattr(picture, "atomic_write", read_only)
    done = cli("evaluate", "run", "--plot")
    elsewhere = cli("evaluate", "runs/latest", "--plot", "--output", "new/deep", "--json")
    assert done.code == 3
    assert done.err.endswith("--output DIR writes the figures to another folder\n")
    assert elsewhere.code == 0
    pictures = [Path("new/deep", f"{name}.png") for name in OF_A_NETWORK]
    assert elsewhere.records[0]["plots"] == list(map(str, pictures))
    assert [path.read_bytes()[:4] for path in pictures] == [b"\x89PNG"] * 3
    assert not list(Path("run").glob("*.png"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--output", "elsewhere"], "--output requires --plot"),
        (["--plot", "--output", "file"], "--output file is a file; expected a folder for the figures"),
    ],
)
def test_an_output_that_cannot_hold_pictures_is_refused_first(cli, options, said):
    """Before a model is looked for; no folder is left."""
    Path("file").touch()
    assert cli("evaluate", "missing", *options) == (2, "", f"mnist-bp: {said}\n")
    assert not Path("elsewhere").exists()


# --- what is refused -------------------------------------------------------------------------------------------------


def test_without_matplotlib_the_command_that_installs_it_is_reported_before_anything_else(cli, train, monkeypatch):
    """It exits with 2 before it loads data or creates a run. Without --plot, matplotlib is not needed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "mnist_bp.reports.figures.picture")
    done = cli("train", "--plot", "--dataset", "mnist", "--data-dir", "nowhere", "--output", "run")
    assert (done.code, done.out) == (2, "")
    install = command_line(sys.executable, "-m", "pip", "install", "mnist-bp[plot]")
    assert done.err == f"mnist-bp: --plot requires matplotlib; to install it: {install}\n"
    assert not Path("run").exists()
    assert train().code == 0


def test_pictures_need_no_backend_of_the_user():
    """MPLBACKEND of Jupyter, in a terminal of JupyterLab, names one that need not be installed here."""
    code = "from mnist_bp.reports.plots import check_plot; check_plot(True, 'png')"
    environment = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--plot", "--seeds", 2], "--plot does not work with --seeds. Plot each run with mnist-bp evaluate RUN"),
        (["--plot-format", "svg"], "--plot-format requires --plot"),
    ],
)
def test_what_does_not_go_together_is_refused(train, options, why):
    """Exit 2, and what to do."""
    done = train(*options)
    assert done.code == 2
    assert why in done.err
    assert not Path("run").exists()


@pytest.mark.parametrize("trouble", ["disk", "history"])
def test_a_run_is_whole_whatever_becomes_of_its_pictures(train, monkeypatch, trouble):
    """A full disk exits with 3, a damaged history with 2: one line, after the end record."""
    if trouble == "disk":

        def save(one, path):
            raise StorageError(f"cannot write {path}: No space left on device")

        monkeypatch.setattr(picture, "save", save)
    else:
        end = TrainingReport.__exit__

        def damage(report, *error):
            end(report, *error)
            with Path("run/history.jsonl").open("a", encoding="utf-8") as file:
                file.write('{"epoch": "three"}\n')

        monkeypatch.setattr(TrainingReport, "__exit__", damage)
    done = train("--plot", "--json")
    assert done.code == (3 if trouble == "disk" else 2)
    assert done.err.splitlines()[-1].startswith("mnist-bp: ")
    assert "Traceback" not in done.err
    assert (done.records[-1]["reason"], done.records[-1]["plots"]) == ("finished", [])
    assert load_network(Path("run/model.npz"))[1].epochs == 2

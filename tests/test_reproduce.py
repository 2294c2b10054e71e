"""``scripts/reproduce``: what it trains and what not, what it writes down, and how it ends.

In most tests, a stand-in takes the place of ``mnist_bp`` in the processes that are started. It notes how it was called,
"learns" with an error that the network's size and the seed decide, and misbehaves as ``orders.json`` says.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from _reproduce import committees, recipes, table
from _reproduce import main as command
from _shared import machine

import mnist_bp
from mnist_bp import Committee, Network
from mnist_bp.errors import InputError

SCRIPTS = Path(__file__).parent.parent / "scripts"

STAND_IN = """
import json, sys, time, tomllib
from pathlib import Path

arguments = sys.argv[2:]

def accuracy_of(folder):
    hidden = tomllib.loads((folder / "config.toml").read_text())["hidden"]
    return 1 - int(hidden) / 10000 - int((folder / "seed").read_text()) / 1000

with open("calls.jsonl", "a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
if sys.argv[1] == "evaluate":
    members = [{"accuracy": accuracy_of(Path(folder))} for folder in arguments[: arguments.index("--dataset")]]
    if Path("orders.json").exists():
        sys.exit("mnist-bp: a member is damaged")
    print(json.dumps({"accuracy": max(each["accuracy"] for each in members) + 0.001, "members": members}))
    sys.exit()
options = dict(zip(arguments[::2], arguments[1::2]))
if "--resume" in options:
    folder = Path(options["--resume"])
else:
    folder = Path(options["--output"])
    folder.mkdir()  # refuses a run that is there
    (folder / "config.toml").write_text(Path(options["--config"]).read_text())
    (folder / "seed").write_text(options["--seed"])
hidden, seed = tomllib.loads((folder / "config.toml").read_text())["hidden"], int((folder / "seed").read_text())
orders = Path("orders.json")
order = json.loads(orders.read_text()).get(f"{hidden} {seed}") if orders.exists() else None
accuracy = accuracy_of(folder)

def tell(event, **fields):
    print(json.dumps({"event": event, "test_accuracy": accuracy, **fields}), flush=True)

tell("start", dataset="own" if order == "other data" else "mnist", sizes=[784, int(hidden), 10], epochs=2)
for epoch in (1, 2):
    try:
        (folder / "checkpoint.npz").touch()
        tell("epoch", epoch=epoch, seconds=0.5)
        if order == "wait":
            time.sleep(60)
        if order == "meet":
            Path(f"seed-{seed}.begun").touch()
            for _ in range(1_000):
                if len([*Path().glob("*.begun")]) == 2:
                    break
                time.sleep(0.02)
            else:
                sys.exit("mnist-bp: the other one did not begin")
    except KeyboardInterrupt:
        (folder / "saved").touch()
    if order == "fail":
        sys.exit("mnist-bp: it diverged")
    if order in ("wait", "stop"):
        tell("end", reason="interrupted", epochs=epoch)
        sys.exit(130)
tell("end", reason="finished", epochs=2)
"""

README = f"# Recipes\n\nBefore.\n\n{table.BEGIN}\nold\n{table.END}\n\nAfter.\n"


@pytest.fixture
def configs(tmp_path):
    """A folder of recipes with none in it, and its README."""
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "README.md").write_text(README, encoding="utf-8")
    return folder


@pytest.fixture
def add(configs):
    """Add a recipe, say of 100 hidden neurons: with the stand-in, seed 0 has an error of 1.00 %, seed 1 of 1.10 %."""

    def write(name, hidden=100, bar="1.50", more=""):
        path = configs / f"{name}.toml"
        path.write_text(
            f"# 784-{hidden}-10, cross-entropy\n#\n#   mnist-bp train --config configs/{name}.toml\n#\n"
            f"# Literature: 2.20 (Nielsen 2015)\n# Bar: {bar} %\n\nhidden = {hidden}\n# a comment below\n{more}",
            encoding="utf-8",
        )
        return path

    return write


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Let the processes find the stand-in, and MNIST be there."""
    package = tmp_path / "stand-in" / "mnist_bp"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr(command, "require_mnist", lambda _: None)
    monkeypatch.setattr(command, "describe_machine", lambda: "a machine, 2 cores")


@pytest.fixture
def reproduce(stand_in, configs, capsys):
    """Run the command, with results in ``results``: exit code, standard output and standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            command.main([*map(str, arguments), "--results", "results"], configs)
        return ended.value.code, *capsys.readouterr()

    return run


def calls():
    """The options of every training that was started, since the last look."""
    path = Path("calls.jsonl")
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [json.loads(line) for line in lines]


def order(**orders):
    """Tell the stand-in what to do: ``of_100_seed_1="fail"``."""
    named = {key.removeprefix("of_").replace("_seed_", " "): value for key, value in orders.items()}
    Path("orders.json").write_text(json.dumps(named))


# --- what is trained, and what not -----------------------------------------------------------------------------------


def test_each_seed_is_trained_on_mnist_and_reported(reproduce, add):
    """Never without --dataset mnist: without it, train would fall back to synthetic digits."""
    add("one")

    code, out, _ = reproduce("one", "--seeds", 2, "--data-dir", "some folder")

    assert code == 0
    first, second = calls()
    folder = Path("results/one/seed-0")
    assert first == [
        "--config", str(folder.with_suffix(".toml")), "--seed", "0", "--output", str(folder),
        "--dataset", "mnist", "--data-dir", "some folder", "--json",
    ]  # fmt: skip
    assert second[second.index("--seed") + 1] == "1"
    assert "one, seed 0: epoch 1/2, test error 1.00 %, 0.5 s\n" in out
    assert "one, seed 1: test error 1.10 %" in out


def test_a_run_on_other_data_does_not_count(reproduce, add):
    """Whatever it is called: what the record says decides."""
    add("one")
    order(of_100_seed_0="other data")

    code, out, _ = reproduce("--seeds", 1)

    assert code == 1
    assert "one, seed 0: expected a training on mnist, not on own" in out
    assert "one: not measured" in out


def test_what_is_done_is_not_done_again(reproduce, add):
    """One more seed trains that seed alone; a new comment changes nothing."""
    path = add("one")
    reproduce("--seeds", 2)
    path.write_text(path.read_text(encoding="utf-8").replace("a comment below", "another"), encoding="utf-8")
    calls()

    code, out, _ = reproduce("--seeds", 3)

    assert code == 0
    assert "one, seed 1: already finished" in out
    assert [call[call.index("--seed") + 1] for call in calls()] == ["2"]


def test_a_changed_recipe_is_trained_anew(reproduce, add):
    """Other settings, other results: the old ones no longer count, neither in the table nor as done."""
    add("one")
    reproduce("--seeds", 1)
    add("one", hidden=120)
    calls()

    assert "one bar 1.50 %   seeds done: none\n" in reproduce("--list")[1]
    code, _, _ = reproduce("--seeds", 1)

    assert code == 0
    assert len(calls()) == 1
    assert json.loads(Path("results/one/seed-0.json").read_text())["start"]["sizes"] == [784, 120, 10]


def test_what_was_cut_short_continues(reproduce, add):
    """From its checkpoint, with no option but --resume; the minutes are those of both parts."""
    add("one")
    order(of_100_seed_0="stop")
    code, _, err = reproduce("one", "--seeds", 2)
    assert code == 130
    assert err.endswith("; to continue: scripts/reproduce one --seeds 2 --results results\n")
    assert len(calls()) == 1
    kept = json.loads(Path("results/one/seed-0.json").read_text())
    assert (kept["start"]["epochs"], kept["end"]) == (2, None)
    Path("results/one/seed-0.json").write_text(json.dumps(kept | {"seconds": 600.0}))
    order()

    code, out, _ = reproduce("one", "--seeds", 2)

    assert code == 0
    first, second = calls()
    assert first == ["--resume", str(Path("results/one/seed-0")), "--json"]
    assert "--resume" not in second
    assert "one, seed 0: test error 1.00 %, 10.0 min" in out


def test_without_a_checkpoint_or_with_other_settings_it_begins_anew(reproduce, add):
    """There is no state to resume, or it belongs to other settings."""
    add("one")
    order(of_100_seed_0="stop")
    reproduce("--seeds", 1)
    Path("results/one/seed-0/checkpoint.npz").unlink()
    reproduce("--seeds", 1)
    add("one", hidden=120)
    code, _, _ = reproduce("--seeds", 1)

    assert code == 0
    assert [call[0] for call in calls()] == ["--config"] * 3


def test_what_is_trained_is_what_was_read(reproduce, add):
    """A recipe that is edited while another one trains is not trained half old, half new."""
    add("one", bar="1.60")
    path = add("two")
    keep = recipes.keep_measurement

    def edit(recipe, measured):
        path.write_text(path.read_text(encoding="utf-8").replace("hidden = 100", "hidden = 200"), encoding="utf-8")
        keep(recipe, measured)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "keep_measurement", edit)
        code, out, _ = reproduce("--seeds", 1)

    assert "two, seed 0: test error 1.00 %" in out
    assert "two: not measured" in out  # as it is now
    assert code == 1


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_a_failure_does_not_stop_the_others(reproduce, add):
    """It is told with train's own words, and in the exit code; what the file said before stays."""
    add("one")
    add("two", hidden=120, bar="1.40")
    order(of_100_seed_1="fail")

    code, out, _ = reproduce("--seeds", 2)

    assert code == 1
    assert f"one, seed 1: exit code 1: mnist-bp: it diverged; full log: {Path('results/one/seed-1.log')}\n" in out
    assert out.endswith("one: not measured\ntwo: 1.25 ± 0.07 %, bar 1.40 %; met\nfailed: one, seed 1\n")
    assert len(calls()) == 4


def test_a_resumed_run_that_fails_prints_how_to_restart(reproduce, add):
    """Else a damaged checkpoint would fail forever."""
    add("one")
    order(of_100_seed_0="fail")
    reproduce("--seeds", 1)

    _, out, _ = reproduce("--seeds", 1)

    assert f"; to start again, remove {Path('results/one/seed-0')}\n" in out
    assert calls()[-1][0] == "--resume"


def test_a_missed_bar_is_reported_and_is_exit_code_1(reproduce, add, configs):
    """The mean decides, with more digits than are shown: 1.05 % is not 1.049 %."""
    add("equal", bar="1.05")
    add("missed", bar="1.049")

    code, out, _ = reproduce("--seeds", 2)

    assert code == 1
    assert "equal: 1.05 ± 0.07 %, bar 1.05 %; met\n" in out
    assert "missed: 1.05 ± 0.07 %, bar 1.05 %; misses it: 1.050 %\n" in out
    assert "1.05 ± 0.07 (misses its bar)" in (configs / "README.md").read_text(encoding="utf-8")


def test_several_trainings_run_at_the_same_time(reproduce, add):
    """Each of these waits until the other one has begun."""
    add("one")
    order(of_100_seed_0="meet", of_100_seed_1="meet")

    code, _, _ = reproduce("--seeds", 2, "--jobs", 2)

    assert code == 0
    assert len(calls()) == 2


@pytest.mark.skipif(os.name == "nt", reason="signals to a group of processes are POSIX")
@pytest.mark.parametrize("reached", ["both", "the command alone"])
def test_ctrl_c_lets_each_training_save_itself(stand_in, add, configs, reached):
    """On a terminal it reaches all processes; a signal to the command alone is passed on, if it has to be."""
    add("one")
    order(of_100_seed_0="wait", of_100_seed_1="wait")
    patience = 60 if reached == "both" else 0.1
    program = (
        f"import sys; sys.path[:0] = {[str(SCRIPTS), str(Path(mnist_bp.__file__).parents[1])]!r}\n"
        "from pathlib import Path; from _reproduce import main, runs\n"
        f"main.require_mnist = lambda _: None; runs.PATIENCE = {patience}\n"
        f"main.main(['--jobs', '2', '--seeds', '2', '--results', 'results'], Path({str(configs)!r}))"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True, **pipes) as process:
        told = process.stdout.readline() + process.stdout.readline()
        (os.killpg if reached == "both" else os.kill)(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert told.count("epoch 1/2") == 2, err
    assert process.returncode == 130, err
    assert err.startswith("interrupted; finished epochs are saved; to continue: scripts/reproduce ")
    assert Path("results/one/seed-0/saved").exists()
    assert Path("results/one/seed-1/saved").exists()


def test_an_unknown_name_gets_the_nearest(reproduce, add):
    """Exit code 2, before anything is trained. A recipe without a line of literature is none of the table's."""
    path = add("800-elastic")
    add("linear")
    smoke = path.with_name("smoke.toml")
    smoke.write_text("# A check.\n\nhidden = 16\n", encoding="utf-8")

    code, _, err = reproduce("linear", "800-elastc")
    assert (code, err) == (2, "scripts/reproduce: the table has no recipe '800-elastc'; the nearest is '800-elastic'\n")
    assert reproduce("smoke")[0] == 2
    assert calls() == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("# Bar: 1.50 %", "# Bar: low", "expected a line '# Bar: 0.60 %'"),
        ("hidden = 100", "epochs = 3", "expected the key hidden"),
        ("hidden = 100", "hiden = 100", "the nearest is 'hidden'"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_refused_before_anything_is_trained(reproduce, add, old, new, told):
    """Not hours later. Exit code 2."""
    add("fine", bar="2.00")
    path = add("one")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    code, _, err = reproduce()

    assert code == 2
    assert told in err
    assert calls() == []


def test_mnist_itself_is_required(idx_folder, tmp_path):
    """A folder called mnist that holds other digits is refused, though train would believe it."""
    folder = idx_folder.rename(tmp_path / "mnist")
    with pytest.raises(InputError, match="the table requires MNIST"):
        command.require_mnist(tmp_path)
    with pytest.raises(InputError, match="the table requires MNIST"):
        command.require_mnist(folder)  # named itself


# --- what is written down --------------------------------------------------------------------------------------------


def test_the_recipes_file_shows_what_came_of_it(reproduce, add):
    """Two lines below the bar; a later measurement takes their place, and all else stays as it is."""
    path = add("one")
    before = path.read_text(encoding="utf-8")
    digest = recipes.read(path).digest

    for seeds, told in ((1, "1.00 % (seed 0: 1.00), "), (3, "1.10 ± 0.10 % (seeds 0-2: 1.00, 1.10, 1.20), ")):
        reproduce("--seeds", seeds)
        lines = path.read_text(encoding="utf-8").split("\n")
        measured, machine = lines[6:8]
        assert lines[5] == "# Bar: 1.50 %"
        assert measured.startswith(f"# Measured: {told}")
        assert measured.endswith(f" min a seed; settings {digest}")
        assert machine == "# Machine: a machine, 2 cores"
        assert "\n".join(lines[:6] + lines[8:]) == before


def test_a_measurement_is_replaced_only_when_all_seeds_asked_for_are_done(reproduce, add):
    """One seed here does not take the place of three from elsewhere, nor three that of four."""
    path = add("one")
    reproduce("--seeds", 4)
    four = path.read_text(encoding="utf-8")
    reproduce("--seeds", 3)
    assert path.read_text(encoding="utf-8") == four

    for seed in (1, 2, 3):
        Path(f"results/one/seed-{seed}.json").unlink()
    reproduce("--table")
    assert path.read_text(encoding="utf-8") == four

    reproduce("--table", "--seeds", 1)
    assert "# Measured: 1.00 % (seed 0: 1.00), " in path.read_text(encoding="utf-8")


def test_the_table(reproduce, add, configs):
    """The highest bar first, then by name; what is not measured, or was before it changed, says so."""
    add("deep", hidden=20, bar="0.35")
    changed = add("b", hidden=30, bar="1.50")
    add("a", hidden=100, bar="1.50")
    add("wide", hidden=800, bar="12.0")
    reproduce("a", "b", "--seeds", 2)
    changed.write_text(changed.read_text(encoding="utf-8") + "epochs = 3\n", encoding="utf-8")
    for path in ("results/a/seed-0.json", "results/a/seed-1.json"):
        kept = json.loads(Path(path).read_text())
        Path(path).write_text(json.dumps(kept | {"seconds": 366.0}))

    code, _, _ = reproduce("--table", "--seeds", 2)

    assert code == 0
    before, rest = (configs / "README.md").read_text(encoding="utf-8").split(table.BEGIN)
    text, after = rest.split(table.END)
    assert (before, after) == ("# Recipes\n\nBefore.\n\n", "\n\nAfter.\n")
    lines = text.split("\n\n")[1].split("\n")
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert head == ["recipe", "literature", "bar", "mean ± s", "each seed", "minutes", "command"]
    assert rows == [
        ["[784-800-10](wide.toml): cross-entropy", "2.20 (Nielsen 2015)", "12.00", "not yet measured", "", "",
         "`scripts/reproduce wide`"],
        ["[784-100-10](a.toml): cross-entropy", "2.20 (Nielsen 2015)", "1.50", "1.05 ± 0.07", "1.00, 1.10", "6.10",
         "`scripts/reproduce a`"],
        ["[784-30-10](b.toml): cross-entropy", "2.20 (Nielsen 2015)", "1.50", "changed since it was measured", "", "",
         "`scripts/reproduce b`"],
        ["[784-20-10](deep.toml): cross-entropy", "2.20 (Nielsen 2015)", "0.35", "not yet measured", "", "",
         "`scripts/reproduce deep`"],
    ]  # fmt: skip
    assert text.endswith("\n\nMeasured on a machine, 2 cores.\n\n")


def test_figures_of_several_machines_are_distinguished(reproduce, add, configs, monkeypatch):
    """Minutes mean nothing without."""
    add("one")
    add("two")
    reproduce("one", "--seeds", 1)
    monkeypatch.setattr(command, "describe_machine", lambda: "another, 8 cores")
    reproduce("two", "--seeds", 1)

    text = (configs / "README.md").read_text(encoding="utf-8")
    assert "\n\nMeasured on a machine, 2 cores (one).\n\nMeasured on another, 8 cores (two).\n\n" in text


def test_minutes_of_seeds_with_different_kernels_are_not_averaged(reproduce, add, monkeypatch):
    """A kernel for older processors takes twice as long."""
    path = add("one")
    monkeypatch.setattr(command, "describe_machine", lambda: "a machine, kernel SkylakeX (AVX-512)")
    reproduce("one", "--seeds", 1)
    monkeypatch.setattr(command, "describe_machine", lambda: "a machine, kernel Haswell (AVX2)")
    reproduce("one", "--seeds", 2)

    measured = recipes.read(path).measured
    assert measured.minutes.count(" and ") == 1
    assert measured.machine == "a machine, kernel SkylakeX (AVX-512), and a machine, kernel Haswell (AVX2)"


def test_the_line_about_the_machine_names_the_kernel():
    """Minutes depend on it."""
    assert f"kernel {machine.kernel()}" in command.describe_machine()


def test_a_readme_without_the_marks_is_refused_before_anything_is_trained(reproduce, add, configs):
    """Its table would have no place."""
    add("one")
    (configs / "README.md").write_text("no marks\n")
    assert reproduce()[0] == 2
    assert calls() == []


# --- committees ------------------------------------------------------------------------------------------------------


def test_a_committee_of_several_recipes_and_seeds_is_one_row(reproduce, add, configs):
    """Its members are the runs of the recipes, which are trained only once; the recipes keep their results."""
    path = add("one")
    add("two", hidden=120, bar="1.40")
    before = path.read_text(encoding="utf-8")
    reproduce("one", "--seeds", 1)
    path.write_text(before, encoding="utf-8")
    calls()

    code, out, _ = reproduce("two", "one", "--seeds", 2, "--committee", "--data-dir", "some folder")

    assert code == 0
    *trained, evaluated = calls()
    assert [Path(call[call.index("--output") + 1]) for call in trained] == [
        Path("results/one/seed-1"), Path("results/two/seed-0"), Path("results/two/seed-1")
    ]  # fmt: skip
    folders = [str(Path(f"results/{name}/seed-{seed}")) for name in ("one", "two") for seed in (0, 1)]
    source = ["--dataset", "mnist", "--data-dir", "some folder"]
    assert evaluated == [*folders, *source, "--no-confusion", "--json"]
    assert out.endswith("committee of 4 networks: 0.90 %, mean of the members 1.15 %\n")
    assert path.read_text(encoding="utf-8") == before
    [row] = [line for line in (configs / "README.md").read_text(encoding="utf-8").split("\n") if "--committee" in line]
    members, number, mean, error, minutes, again = [cell.strip() for cell in row.split("|")[1:-1]]
    assert members == "[one](one.toml), [two](two.toml)"
    assert (number, mean, error) == ("4", "1.15", "0.90")
    assert float(minutes) > 0
    assert again == "`scripts/reproduce one two --seeds 2 --committee`"


def test_the_figures_of_a_committee_are_replaced_and_outlast_a_change_of_others(reproduce, add, configs):
    """A row for each set of members; one whose settings have changed says so."""
    add("one")
    changed = add("two", hidden=120, bar="1.40")
    for names in (("one",), ("one", "two"), ("one",)):
        assert reproduce(*names, "--seeds", 2, "--committee")[0] == 0
    assert [committee.key for committee in committees.read(configs)] == [(("one",), 2), (("one", "two"), 2)]

    changed.write_text(changed.read_text(encoding="utf-8").replace("hidden = 120", "hidden = 130"), encoding="utf-8")
    assert reproduce("--table")[0] == 0

    rows = [line for line in (configs / "README.md").read_text(encoding="utf-8").split("\n") if "--committee" in line]
    assert ["changed since it was measured" in row for row in rows] == [False, True]


def test_a_committee_with_a_failed_member_is_not_measured(reproduce, add, configs):
    """Neither if its training fails, nor if its evaluation does; exit code 1."""
    add("one")
    order(of_100_seed_1="fail")
    code, out, _ = reproduce("one", "--seeds", 2, "--committee")
    assert code == 1
    assert out.endswith("failed: one, seed 1\n")

    order()
    add("two", hidden=120)
    code, out, _ = reproduce("two", "--seeds", 2, "--committee")
    assert code == 1
    assert out.endswith("failed: evaluate: exit code 1: mnist-bp: a member is damaged\n")
    assert committees.read(configs) == []


@pytest.mark.parametrize(
    "arguments", [["--committee"], ["one", "--seeds", 1, "--committee"], ["one", "--committee", "--table"]]
)
def test_a_committee_needs_names_and_two_networks(reproduce, add, arguments):
    """Exit code 2, before anything is trained."""
    add("one")
    assert reproduce(*arguments)[0] == 2
    assert calls() == []


def test_a_damaged_file_of_committees_is_refused_before_anything_is_trained(reproduce, add, configs):
    """It is named."""
    add("one")
    (configs / committees.FILE).write_text("{")
    code, _, err = reproduce()
    assert code == 2
    assert committees.FILE in err
    assert calls() == []


# --- the real thing --------------------------------------------------------------------------------------------------


def test_it_understands_what_train_prints(add, configs, idx_folder, monkeypatch, capsys, tmp_path):
    """With the real ``train``, on a few digits that go by the name of MNIST; and with its ``--resume``."""
    monkeypatch.setenv("PYTHONPATH", str(Path(mnist_bp.__file__).parents[1]))
    monkeypatch.setattr(command, "require_mnist", lambda _: None)
    idx_folder.rename(tmp_path / "mnist")
    path, record = add("one", hidden=16, bar="99", more="epochs = 2\n"), Path("results/one/seed-0.json")

    def run():
        with pytest.raises(SystemExit) as ended:
            command.main(["--seeds", "1", "--data-dir", str(tmp_path), "--results", "results"], configs)
        out = capsys.readouterr().out
        assert ended.value.code == 0, out
        return out, recipes.read(path).measured.errors

    out, errors = run()
    assert "one, seed 0: epoch 2/2, test error " in out
    history = [json.loads(line) for line in Path("results/one/seed-0/history.jsonl").read_text().splitlines()]
    assert errors == (round(100 - 100 * history[-1]["test_accuracy"], 2),)

    record.write_text(json.dumps(json.loads(record.read_text()) | {"end": None}))  # killed before it could be noted
    out, errors_resumed = run()
    assert "one, seed 0: resuming" in out
    assert errors_resumed == errors


def test_a_committee_is_evaluated_by_the_real_program(add, configs, idx_folder, monkeypatch, capsys, tmp_path):
    """With two networks that learn a few digits, which go by the name of MNIST."""
    monkeypatch.setenv("PYTHONPATH", str(Path(mnist_bp.__file__).parents[1]))
    monkeypatch.setattr(command, "require_mnist", lambda _: None)
    idx_folder.rename(tmp_path / "mnist")
    add("one", hidden=16, bar="99", more="epochs = 2\n")
    with pytest.raises(SystemExit) as ended:
        command.main(
            ["one", "--seeds", "2", "--committee", "--data-dir", str(tmp_path), "--results", "results"], configs
        )
    out = capsys.readouterr().out
    assert ended.value.code == 0, out
    [measured] = committees.read(configs)
    ends = [json.loads(Path(f"results/one/seed-{seed}.json").read_text())["end"] for seed in range(2)]
    assert measured.errors == [round(100 - 100 * end["test_accuracy"], 2) for end in ends]
    networks = [Network.load(f"results/one/seed-{seed}/model.npz") for seed in range(2)]
    test = mnist_bp.load_dataset("mnist", tmp_path).test
    error = 1 - mnist_bp.evaluate(Committee(networks), test).accuracy
    assert measured.error == round(100 * error, 2)


def test_the_script_finds_the_recipes_that_are_shipped():
    """Each of them can be read, the README has its marks, and the table tells what the files tell."""
    script = [sys.executable, SCRIPTS / "reproduce", "--list"]
    listed = subprocess.run(script, capture_output=True, encoding="utf-8", check=True).stdout

    known = recipes.read_all(command.CONFIGS)
    assert [line.split()[0] for line in listed.splitlines()] == list(known)
    text = table.render(known, committees.read(command.CONFIGS))
    assert text in (command.CONFIGS / "README.md").read_text(encoding="utf-8")

"""``mnist-bp gradcheck``."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_bp.core.objective import Objective
from mnist_bp.gradcheck.diagnose import INPUTS_ARE_WRONG
from mnist_bp.gradcheck.known_bugs import KNOWN_BUGS

RIGHT = '''
import numpy as np

def backpropagate(weights, biases, x, y):
    """Sigmoids and squared error: the derivatives of the mean cost."""
    activations = [x]
    for W, b in zip(weights, biases):
        activations.append(1 / (1 + np.exp(-(activations[-1] @ W.T + b))))
    dC_da = 2 * (activations[-1] - y) / len(x)
    dC_dW, dC_db = [], []
    for W, a, a_before in zip(weights[::-1], activations[:0:-1], activations[-2::-1]):
        dC_dz = a * (1 - a) * dC_da
        dC_dW.insert(0, dC_dz.T @ a_before)
        dC_db.insert(0, dC_dz.sum(axis=0))
        dC_da = dC_dz @ W
    return dC_dW, dC_db
'''

WRONG = """
import importlib

def not_averaged(weights, biases, x, y):
    dC_dW, dC_db = importlib.import_module("student").backpropagate(weights, biases, x, y)
    return dC_dW, [len(x) * array for array in dC_db]

def greedy(weights, biases, x, y):
    for array in (*weights, *biases, x, y):
        array.fill(0)
    return weights, biases

def transposed(weights, biases, x, y):
    return [W.T for W in weights], biases

def short(weights, biases, x, y):
    return weights[1:], biases[1:]

def nothing(weights, biases, x, y):
    pass

def breaks(weights, biases, x, y):
    raise ZeroDivisionError("division by zero")

def leaves(weights, biases, x, y):
    raise SystemExit(5)

def imagines(weights, biases, x, y):
    return [1j * W for W in weights], biases

def writes(weights, biases, x, y):
    return [W.astype(str) for W in weights], biases

def ragged(weights, biases, x, y):
    return weights, [[[0.0], [0.0, 0.0]] for b in biases]

def hollow(weights, biases, x, y):
    return [float("nan") * W for W in weights], biases

def talks(weights, biases, x, y):
    print("in the function")
    return importlib.import_module("student").backpropagate(weights, biases, x, y)

def in_float32(weights, biases, x, y):
    single = [array.astype("float32") for array in (*weights, *biases, x, y)]
    L = len(weights)
    return importlib.import_module("student").backpropagate(single[:L], single[L:-2], *single[-2:])

def without_biases(weights, biases, x, y):
    return importlib.import_module("student").backpropagate(weights, [0 * b for b in biases], x, y)

def slightly_wrong(weights, biases, x, y):
    dC_dW, dC_db = in_float32(weights, biases, x, y)
    return [1.0005 * dC_dW[0], *dC_dW[1:]], dC_db

number = 3
"""


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """student.py and others.py in the current folder."""
    monkeypatch.setattr("sys.path", [*sys.path])
    for name, text in (("student", RIGHT), ("others", WRONG)):
        Path(f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_every_parameter_of_the_lessons_network_is_checked(cli: Callable) -> None:
    """13,002 by both methods, the keys that scripts rely on, and for people a table of at most 80 columns."""
    finished = cli("gradcheck", "--json")
    [record] = finished.records
    rows = [line for line in finished.err.splitlines() if line[:2] in {"W1", "b1", "W2", "b2", "W3", "b3", "──"}]

    assert record["passed"] is True
    assert (record["dataset"], record["synthetic"]) == ("synthetic", True)
    assert (record["method"], record["tolerance"]) == ("both", 1e-10)
    assert record["parameters_checked"] == 13_002
    assert record["max_relative_error"] <= 1e-10
    assert [layer["name"] for layer in record["layers"]] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    first = record["layers"][0]
    assert (first["shape"], first["checked"]) == ([16, 784], 12_544)
    assert set(first["worst"]) == {"index", "backprop", "numerical"}
    assert record["central"][0]["failed"] == 0
    assert [record[key] for key in ("l2", "dropout", "input_dropout", "label_smoothing")] == [0, 0, 0, 0]
    assert record["diagnosis"] == []
    assert record["taylor_slopes"] == pytest.approx([2, 2, 2], abs=0.1)
    assert len(rows) == 14
    assert max(map(len, rows)) <= 80


@pytest.mark.parametrize("method", ["complex", "central"])
def test_one_method_by_itself(cli: Callable, method: str) -> None:
    """Its own default tolerance; exit code 0."""
    finished = cli("gradcheck", "--hidden", "4", "--method", method, "--json")

    assert finished.code == 0
    assert finished.records[0]["method"] == method
    assert finished.records[0]["tolerance"] == {"complex": 1e-10, "central": 1e-6}[method]


def test_every_combination_has_a_record(cli: Callable) -> None:
    """Four activations with three costs."""
    records = cli("gradcheck", "--hidden", "4", "--examples", 5, "--every-combination", "--json").records

    assert len({(record["activation"], record["cost"]) for record in records}) == 12
    assert all(record["passed"] for record in records)


def test_a_trained_run_is_checked_in_float64(cli: Callable, idx_folder: Path) -> None:
    """And it says that the training was in float32."""
    cli("train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 1, "--output", "run")

    finished = cli("gradcheck", "run")

    assert finished.code == 0
    assert "trained in float32, checked in float64" in finished.out
    assert "examples  the first 23 of few's training set" in finished.out


REGULARIZED = ("--l2", 0.01, "--dropout", 0.5, "--input-dropout", 0.2, "--label-smoothing", 0.1)


def test_penalty_dropout_and_smoothing_are_checked_where_asked_for(cli: Callable) -> None:
    """They are said to people, and recorded."""
    people = cli("gradcheck", "--hidden", 8, *REGULARIZED)
    [record] = cli("gradcheck", "--hidden", 8, *REGULARIZED, "--json").records

    assert people.code == 0
    assert "cost      with l2 0.01, dropout 0.5, input-dropout 0.2, label-smoothing 0.1\n" in people.out
    assert "are not zero on these examples, without the penalty" in people.out
    assert record["passed"] is True
    keys = ("l2", "dropout", "input_dropout", "label_smoothing")
    assert [record[key] for key in keys] == [0.01, 0.5, 0.2, 0.1]


def test_each_of_them_changes_what_is_checked(cli: Callable) -> None:
    """Each has another gradient, and so another worst entry; the command that repeats a check names it."""
    checks = [(), *(REGULARIZED[i : i + 2] for i in range(0, len(REGULARIZED), 2))]
    few = ("--hidden", 4, "--examples", 5, "--tolerance", 1e-18)
    finished = [cli("gradcheck", *few, *options, "--json") for options in checks]

    assert len({each.records[0]["layers"][-2]["worst"]["backprop"] for each in finished}) == len(checks)
    for each, (option, value) in zip(finished[1:], checks[1:], strict=True):
        assert f" {option}={value}" in next(line for line in each.err.splitlines() if line.startswith("repeat"))


def test_a_run_that_trained_with_them_is_checked_without_unless_asked(cli: Callable, idx_folder: Path) -> None:
    """Only the options of this command count."""
    cli("train", "--data-dir", idx_folder, "--hidden", 8, "--epochs", 1, "--output", "run", *REGULARIZED)

    [plain] = cli("gradcheck", "run", "--json").records
    [with_l2] = cli("gradcheck", "run", "--l2", 0.01, "--json").records

    assert (plain["passed"], plain["l2"], plain["dropout"]) == (True, 0, 0)
    assert (with_l2["passed"], with_l2["l2"], with_l2["dropout"]) == (True, 0.01, 0)


def test_a_tolerance_that_rounding_does_not_allow_decides_nothing(cli: Callable) -> None:
    """The result is neither passed nor failed: exit code 1, one line on standard error, and a command to repeat it."""
    finished = cli("gradcheck", "--hidden", "4", "--method", "central", "--tolerance", "1e-15")

    assert finished.code == 1
    assert finished.err.startswith("mnist-bp: no derivative was verified: all are zero, or differ by no more than")
    assert "UNDECIDED  784-4-10 sigmoid, squared-error: " in finished.out
    assert "worst" not in finished.out
    assert (
        "repeat    mnist-bp gradcheck --hidden 4 --activation sigmoid --cost squared-error --method=central"
        in finished.out
    )


def test_the_self_test_catches_every_known_bug(cli: Callable) -> None:
    """And names them; the right gradient passes."""
    finished = cli("gradcheck", "--self-test", "--examples", 5, "--json")

    assert finished.code == 0
    [record] = finished.records
    assert (record["passed"], record["caught"], record["named"], record["right_passed"]) == (
        True,
        len(KNOWN_BUGS),
        len(KNOWN_BUGS),
        True,
    )


def test_a_large_network_is_sampled_and_reports_it(cli: Callable) -> None:
    """Each array by itself; how many were not checked; and random directions for all of them together."""
    finished = cli("gradcheck", "--hidden", "400,10", "--method", "complex", "--examples", 5)

    assert finished.code == 0
    assert "sample: at most" in finished.out
    assert "were NOT checked one by one" in finished.out
    assert "in 10 random directions: largest relative error" in finished.out


@pytest.mark.usefixtures("functions")
def test_somebodys_own_backpropagation_is_checked(cli: Callable) -> None:
    """A plain function in the current folder passes, if it is right."""
    finished = cli("gradcheck", "--function", "student:backpropagate", "--method", "complex")

    assert finished.code == 0
    assert "passed  student:backpropagate on 784-16-16-10 sigmoid, squared-error" in finished.out


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize("name", ["numbers", "numpy", "time"])
def test_a_function_is_found_although_python_has_a_module_of_that_name(cli: Callable, name: str) -> None:
    """The file in the current folder is meant, and replaces no module of the program; what it imports is there too."""
    theirs = sys.modules[name]
    text = "import random, student\nassert random.Random\nbackpropagate = student.backpropagate\n"
    Path(f"{name}.py").write_text(text, encoding="utf-8")
    Path("random.py").write_text("raise SystemExit(0)\n", encoding="utf-8")

    finished = cli("gradcheck", "--function", f"{name}:backpropagate", "--hidden", "4", "--method", "complex")

    assert finished.code == 0
    assert f"passed  {name}:backpropagate" in finished.out
    assert sys.modules[name] is theirs


@pytest.mark.usefixtures("functions")
def test_a_package_that_pythons_hides_is_named(cli: Callable) -> None:
    """A file in a folder is found by its package, which Python may have already."""
    Path("email").mkdir()
    Path("email/parser.py").write_text(RIGHT, encoding="utf-8")

    finished = cli("gradcheck", "--function", "email.parser:backpropagate", "--hidden", "4")

    assert finished.code == 2
    assert f"{Path.cwd() / 'email'} is hidden by the package of the same name in " in finished.err


@pytest.mark.usefixtures("functions")
def test_somebodys_mistake_is_named(cli: Callable) -> None:
    """Which arrays, by how much, and why that may be."""
    finished = cli("gradcheck", "--function", "others:not_averaged", "--hidden", "4,3", "--json")

    assert finished.code == 1
    said = "all of b1, b2 and b3 are 23 times too large: not divided by the 23 examples?"
    assert finished.records[0]["diagnosis"] == [said]
    assert f"MISTAKE   {said}" in finished.err


@pytest.mark.usefixtures("functions")
def test_biases_that_a_function_forgets_are_not_zero(cli: Callable) -> None:
    """They are drawn: in a fresh network, many biases are 0, and leaving them out would be right."""
    finished = cli("gradcheck", "--function", "others:without_biases", "--method", "complex", "--json")

    assert finished.code == 1
    assert finished.records[0]["diagnosis"] == ["the forward pass leaves the biases out: z is W a + b"]
    assert all(layer["failed"] for layer in finished.records[0]["layers"])


@pytest.mark.usefixtures("functions")
def test_a_function_in_float32_passes_with_a_verdict_of_its_own(cli: Callable) -> None:
    """Unless a tighter tolerance is asked for; and a bug of 0.05 % is a bug."""
    few = ("gradcheck", "--hidden", "4", "--method", "complex", "--function")
    single = cli(*few, "others:in_float32", "--json")
    people = cli(*few, "others:in_float32", "--quiet")
    strict = cli(*few, "others:in_float32", "--tolerance", "1e-8", "--json")
    wrong = cli(*few, "others:slightly_wrong", "--json")

    [record] = single.records
    assert (single.code, record["passed"], record["verdict"], record["diagnosis"]) == (0, True, "float32", [])
    assert 1e-8 < record["agreement"] < 1e-6
    said = f"agrees to {record['agreement']:.1e}: computed in float32?"
    assert f"float32  others:in_float32 on 784-4-10 sigmoid, squared-error: {said}" in people.out
    assert "repeat" not in people.out
    assert (strict.code, strict.records[0]["passed"], strict.records[0]["verdict"]) == (1, False, "failed")
    assert strict.records[0]["diagnosis"] == [
        f"the gradient agrees to {record['agreement']:.1e} only: computed in float32?"
    ]
    assert (wrong.code, wrong.records[0]["verdict"]) == (1, "failed")
    assert wrong.records[0]["diagnosis"] == ["all of W1 are 1.0005 times too large"]


@pytest.mark.usefixtures("functions")
def test_what_a_function_prints_is_not_among_the_records(cli: Callable) -> None:
    """It goes to standard error, with all that people read."""
    finished = cli("gradcheck", "--function", "others:talks", "--hidden", "4", "--method", "complex", "--json")

    assert finished.code == 0
    assert len(finished.records) == 1
    assert "in the function" in finished.err


@pytest.mark.usefixtures("functions")
def test_a_function_cannot_change_the_network_that_it_is_checked_on(cli: Callable) -> None:
    """It gets copies: what it does to them does not make it right."""
    assert cli("gradcheck", "--function", "others:greedy", "--hidden", "4").code == 1


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--function", "student"], "expected MODULE:NAME"),
        (["--function", "nowhere:f"], "cannot be imported (ModuleNotFoundError"),
        (["--function", "student:nothing"], "student has no nothing; it has backpropagate"),
        (["--function", "nowhere.py:f"], "--function nowhere.py:f: there is no file nowhere.py in "),
        (["--function", "others:number"], "is a int, not a function"),
        (["--function", "others:transposed"], "dC_dW of layer 1 has shape (784, 16); expected (16, 784)"),
        (["--function", "others:short"], "expected a list of 3 arrays dC_dW, one for each layer"),
        (["--function", "others:nothing"], "returned NoneType; expected two lists of arrays"),
        (["--function", "others:breaks"], "raised ZeroDivisionError: division by zero"),
        (["--function", "others:leaves"], "others:leaves raised SystemExit: 5"),
        (["--function", "others:imagines"], "dC_dW of layer 1 has type complex128; expected real numbers"),
        (["--function", "others:writes"], "dC_dW of layer 1 has type <U32; expected real numbers"),
        (["--function", "others:ragged"], "dC_db of layer 1 is not an array"),
        (["--function", "others:hollow"], "dC_dW of layer 1 contains numbers that are not finite"),
        (["--function", "student:backpropagate", "--every-combination"], "--every-combination checks fresh networks"),
        (["--function", "student:backpropagate", "--l2", "0.1"], "plain cost: leave out --l2"),
        (["--self-test", "--dropout", "0.5", "--label-smoothing", "0.1"], "leave out --dropout, --label-smoothing"),
        (["--self-test", "--function", "nowhere:nothing"], "--self-test checks fresh networks: leave out RUN"),
        (["--self-test", "some-run"], "--self-test checks fresh networks: leave out RUN"),
        (["--self-test", "--method", "central"], "a fixed network and method: leave out --method"),
        (["--self-test", "--every-combination"], "and method: leave out --every-combination"),
        (["--hidden", "none", "--dropout", "0.5"], "--dropout requires hidden neurons: use --input-dropout"),
        (["--dropout", "1"], "--dropout"),
        (["some-run", "--hidden", "30"], "--hidden describes a fresh network"),
        (["--hidden", "0"], "--hidden"),
        (["--method", "forward"], "--method"),
        (["--epsilon", "0"], "--epsilon"),
        (["--tolerance", "nan"], "--tolerance"),
        (["--examples", "0"], "--examples"),
        (["no-such-run"], "no-such-run is not a model: expected a model.npz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli: Callable, arguments: list[str], said: str) -> None:
    """The line says what was wrong and what was expected."""
    finished = cli("gradcheck", *arguments)

    assert finished.code == 2
    assert said in finished.err
    assert finished.err.count("\n") == 1


def test_the_inputs_are_checked_beside_the_parameters(cli):
    """A key beside the layers, which count parameters alone, and a row of the tables."""
    (record,) = cli("gradcheck", "--hidden", 4, "--examples", 3, "--json").records
    out = cli("gradcheck", "--hidden", 4, "--examples", 3).out

    inputs = record["inputs"]
    assert [layer["name"] for layer in record["layers"]] == ["W1", "b1", "W2", "b2"]
    assert record["parameters_checked"] == sum(layer["checked"] for layer in record["layers"]) == 3190
    assert {*inputs} - {"central"} == {*record["layers"][0]} == {*inputs["central"]}
    assert (inputs["name"], inputs["shape"], inputs["checked"], inputs["failed"]) == ("a0", [3, 784], 500, 0)
    assert len(re.findall(r"^a0  +500 .*a_\{\d+\}\^\(0\) *$", out, re.MULTILINE)) == 2
    assert "inputs: ∂C/∂a^(0) of 500 of 2,352 pixels of the examples" in out


def test_wrong_inputs_are_a_failure(cli, monkeypatch):
    """Exit 1, a sentence that names them, and a result line."""
    monkeypatch.setattr(Objective, "input_gradient", lambda self, _: np.ones_like(self.X))
    done = cli("gradcheck", "--hidden", 4, "--examples", 3)
    assert done.code == 1
    assert f"MISTAKE   {INPUTS_ARE_WRONG} (500 of the sample)" in " ".join(done.out.split("\n"))
    assert "FAILED  784-4-10 sigmoid, squared-error: 3,190 parameters verified to 10 digits" in done.out
    assert "500 derivatives by inputs failed" in done.out
    assert cli("gradcheck", "--hidden", 4, "--examples", 3, "--json").records[0]["passed"] is False


def test_adversarial_training_and_initial_weights_are_checked(cli):
    """The record has the option, and the command to repeat a failure has both."""
    options = ("--hidden", 4, "--examples", 3, "--adversarial", 0.25, "--dropout", 0.25, "--weight-init", "glorot")
    (record,) = cli("gradcheck", *options, "--json").records
    assert (record["passed"], record["adversarial"], record["inputs"]["shape"]) == (True, 0.25, [6, 784])
    failed = cli("gradcheck", *options, "--tolerance", 1e-17)
    assert failed.code == 1
    (repeat,) = [line for line in failed.out.splitlines() if line.startswith("repeat")]
    assert "--weight-init glorot" in repeat
    assert "--adversarial=0.25" in repeat


@pytest.mark.parametrize("command", [("gradcheck",), ("explain",)])
def test_initial_weights_are_those_of_a_fresh_network(cli, command):
    """A saved model has its weights."""
    refused = cli(*command, "model.npz", "--weight-init", "he")
    assert refused.code == 2
    assert "--weight-init describes a fresh network" in refused.err

"""Entries that other code registers: each works in every command, or is refused by name with what is missing."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from mnist_bp import Network
from mnist_bp.core.activations import Activation
from mnist_bp.core.choices import ACTIVATIONS, COSTS, INITIALIZATIONS, OPTIMIZERS, Registry
from mnist_bp.core.costs import ENTRIES as BUILT_IN_COSTS
from mnist_bp.core.javascript import per_neuron
from mnist_bp.core.optimizers import Momentum
from mnist_bp.data.batches import normalize
from mnist_bp.data.choices import AUGMENTATIONS, DATASETS
from mnist_bp.data.names import FILE_NAMES
from mnist_bp.data.registry import GeneratedDataset, PublishedDataset, PublishedFile
from mnist_bp.errors import InputError
from mnist_bp.reports.plot_formats import PLOT_FORMATS, PlotFormat
from mnist_bp.training.learning_rates import LEARNING_RATES
from mnist_bp.training.metrics import METRICS, Metric, percent
from mnist_bp.training.schedules import SCHEDULES

SOFTPLUS = Activation(
    lambda z: np.maximum(z, 0) + np.log1p(np.exp(np.where(z.real < 0, z, -z))),
    lambda a: 1 - np.exp(-a),
    javascript=per_neuron("Math.log1p(Math.exp(z))", "1 - Math.exp(-a)", "steep (1) where the neuron is on."),
)


@pytest.fixture
def register():
    """Register entries for one test."""
    added = []

    def add(registry, name, entry):
        registry.register(name, entry)
        added.append((registry, name))

    yield add
    for registry, name in added:
        registry.unregister(name)


@pytest.fixture
def rate(monkeypatch):
    """Set the default learning rate of a combination for one test."""
    return lambda *combination, value=0.1: monkeypatch.setitem(LEARNING_RATES, combination, value)


@pytest.fixture
def every_command(cli, idx_folder):
    """Train an epoch with some options, resume for another, and run every other command on the run; all succeed."""

    def run(*options, page=0, resume=("--epochs", 2), data=("--data-dir", idx_folder)):
        for command in (
            ["train", *data, "--hidden", 2, "--epochs", 1, "--output", "run", "--quiet", *options],
            ["train", *data, "--resume", "run", *resume, "--quiet"],
            ["evaluate", "run", *data, "--no-confusion"],
            ["gradcheck", "run", *data, "--examples", 5],
            ["explain", "run", *data],
        ):
            done = cli(*command)
            assert done.code == 0, (command, done.err)
        drawn = cli("page", "run", *data)
        assert drawn.code == page
        return drawn

    return run


def test_an_activation_works_in_every_command(every_command, register, rate):
    """One entry and one learning rate are all that an activation needs."""
    register(ACTIVATIONS, "softplus", SOFTPLUS)
    rate("softplus", "squared-error", "sgd")

    every_command("--activation", "softplus")


def test_an_activation_without_javascript_is_refused_by_the_page_alone(every_command, register, rate):
    """The refusal names the activation and what it lacks."""
    register(ACTIVATIONS, "softplus", SOFTPLUS._replace(javascript=None))
    rate("softplus", "squared-error", "sgd")

    refused = every_command("--activation", "softplus", page=2)

    assert "the activation 'softplus': its registry entry has no javascript" in refused.err


def test_a_cost_works_in_every_command_but_the_page(every_command, register, rate):
    """Half the squared error, as other books have it, without JavaScript."""
    half = BUILT_IN_COSTS["squared-error"]._replace(
        per_output=lambda _Z, A, Y: 0.5 * (A - Y) ** 2,
        dC_dZ=lambda A, Y, dA_dZ: (A - Y) * dA_dZ,
        dC_dA=lambda A, Y: A - Y,
        javascript=None,
    )
    register(COSTS, "half-squared-error", half)
    rate("sigmoid", "half-squared-error", "sgd")

    refused = every_command("--cost", "half-squared-error", page=2)

    assert "the cost 'half-squared-error': its registry entry has no javascript" in refused.err


@pytest.mark.parametrize("cost", COSTS)
def test_every_built_in_cost_works_in_every_command(every_command, cost):
    """With its default learning rate, and on the page."""
    every_command("--cost", cost)


def test_linear_outputs_work_in_every_command_that_reads_a_model(cli, idx_folder):
    """The Python API makes such networks; the command line says of what it reads, and does not make any."""
    Network([784, 4, 10], output_activation="identity", rng=np.random.default_rng(0)).save("linear.npz")

    for command in ("evaluate", "gradcheck", "explain", "page"):
        done = cli(command, "linear.npz", "--data-dir", idx_folder)
        assert done.code == 0, (command, done.err)
    assert (
        "784-4-10, sigmoid, squared-error, identity outputs"
        in cli("evaluate", "linear.npz", "--data-dir", idx_folder).out
    )
    assert cli("train", "--data-dir", idx_folder, "--activation", "identity").code == 2


def test_an_optimizer_works_in_every_command(every_command, register, rate):
    """Its state is in the checkpoint, so that the run resumes."""
    register(OPTIMIZERS, "rolling", Momentum)
    rate("sigmoid", "squared-error", "rolling")

    every_command("--optimizer", "rolling")


def test_an_initialization_works_in_every_command(every_command, register):
    """One function is all that it needs."""

    def constant(parameters, _activation, _outputs, rng):
        parameters.vector[...] = rng.uniform(-0.1, 0.1, parameters.vector.shape)

    register(INITIALIZATIONS, "narrow", constant)

    every_command("--weight-init", "narrow")


def test_a_schedule_works_in_every_command(every_command, register):
    """It runs over all epochs, so that a run resumes only with as many."""
    register(SCHEDULES, "linear", lambda t, _steps: 1 - t)

    every_command("--schedule", "linear", resume=())


def draw_stripes(examples, split, progress):
    """Draw images whose brighter half tells the class."""
    labels = np.arange(examples, dtype=np.uint8) % 2 + (split == "test")
    images = np.zeros((examples, 6, 4), np.uint8)
    images[labels % 2 == 1, :3] = 200
    progress(examples)
    return images, labels


def test_a_generated_dataset_works_in_every_command(every_command, cli, register):
    """One entry is all that it needs; it is called synthetic."""
    stripes = GeneratedDataset("stripes", "this test", 1, {"train": 40, "test": 20}, draw_stripes)
    register(DATASETS, "stripes", stripes)

    every_command("--dataset", "stripes", "--batch-size", 10, data=())

    assert cli("evaluate", "run", "--json").records[0]["dataset"] == "stripes"
    assert cli("evaluate", "run", "--json").records[0]["synthetic"]
    assert "stripes" in cli("download", "--list").out


def test_a_published_dataset_works_in_every_command(every_command, cli, register, idx_folder, tmp_path):
    """Its files are found by its name, and imported and verified by their hashes."""
    contents = [(name, (idx_folder / name).read_bytes()) for name in FILE_NAMES]
    files = tuple(
        PublishedFile(name, len(content), "0" * 64, hashlib.sha256(content).hexdigest()) for name, content in contents
    )
    register(DATASETS, "letters", PublishedDataset("letters", "this test", files, (), "Letters"))
    assert cli("download", "letters", "--from", idx_folder, "--data-dir", tmp_path / "new").code == 0

    every_command("--dataset", "letters", data=("--data-dir", tmp_path / "new"))

    assert "letters" in cli("evaluate", "run").out


def test_an_augmentation_works_in_every_command(every_command, register):
    """It draws a number for each image, and applies it."""

    class Negative:
        def __init__(self, _shape, _strength, dtype):
            self.dtype = dtype

        def draw(self, n, rng):
            return rng.random(n) < 0.5

        def apply(self, images, drawn):
            return normalize(np.where(drawn[:, np.newaxis], 255 - images, images), self.dtype)

    register(AUGMENTATIONS, "negative", Negative)

    every_command("--augment", "negative")


def test_a_plot_format_works_in_every_command_that_draws(cli, idx_folder, register):
    """Matplotlib writes it; its name is the ending."""
    register(PLOT_FORMATS, "eps", PlotFormat(("CreationDate",)))
    train = ("train", "--data-dir", idx_folder, "--hidden", 4, "--epochs", 1, "--output", "run", "--plot")

    assert cli(*train, "--plot-format", "eps").code == 0
    assert cli("evaluate", "run", "--plot", "--plot-format", "eps", "--output", "elsewhere").code == 0

    assert {path.suffix for path in Path("elsewhere").iterdir()} == {".eps"}


@pytest.mark.parametrize(
    ("option", "registry", "entry", "combination"),
    [
        ("activation", ACTIVATIONS, SOFTPLUS, "new, squared-error and sgd"),
        ("cost", COSTS, BUILT_IN_COSTS["squared-error"], "sigmoid, new and sgd"),
        ("optimizer", OPTIMIZERS, Momentum, "sigmoid, squared-error and new"),
    ],
)
def test_a_combination_without_a_learning_rate_is_refused_by_name(
    cli, idx_folder, register, option, registry, entry, combination
):
    """No other entry's learning rate is taken in its place."""
    register(registry, "new", entry)

    done = cli("train", "--data-dir", idx_folder, f"--{option}", "new")

    assert done.code == 2
    assert f"no default learning rate for {combination}: set one with --learning-rate" in done.err


def test_help_lists_what_is_registered(cli, register):
    """The names of a choice are those of its registry."""
    register(ACTIVATIONS, "softplus", SOFTPLUS)

    assert "softplus" in cli("train", "--help").out.replace("\n", "")


@pytest.mark.parametrize(("names", "entries"), [(("a", "b"), {"a": 1}), (("a",), {"a": 1, "b": 2})])
def test_a_name_without_an_entry_is_refused_and_an_entry_without_a_name(names, entries):
    """The error names what is missing its other half."""
    registry = Registry("thing", names, lambda: entries)

    with pytest.raises(InputError, match="thing b: each name needs an entry, and each entry a name"):
        registry["a"]


def test_a_metric_is_in_the_table_the_log_the_record_and_the_checkpoint(cli, idx_folder, register):
    """One declaration is enough; a run resumes, whether it was written without the metric or with it."""
    options = ("--data-dir", idx_folder, "--hidden", 6)
    assert cli("train", *options, "--epochs", 1, "--output", "older", "--quiet").code == 0
    error = Metric(
        compute=lambda measured: 1 - measured.test.accuracy, heading="test\nerror", line="; error {}", format=percent
    )
    register(METRICS, "test_error", error)

    trained = cli("train", *options, "--epochs", 1, "--output", "newer", "--json")
    resumed = cli("train", "--resume", "older", "--data-dir", idx_folder, "--epochs", 2, "--json")

    for done in (trained, resumed):
        assert done.code == 0, done.err
        epoch = done.records[1]
        assert epoch["test_error"] == 1 - epoch["test_accuracy"]
        assert f"; error {percent(epoch['test_error'])}" in done.err
    METRICS.unregister("test_error")
    assert cli("train", "--resume", "newer", "--data-dir", idx_folder, "--epochs", 2).code == 0
    METRICS.register("test_error", error)


@pytest.mark.parametrize("lacks", [{"heading": ""}, {"line": "error"}])
def test_a_metric_without_a_heading_or_a_line_is_refused(lacks):
    """The table and the log need both."""
    with pytest.raises(InputError, match="a metric requires a heading for the table, and a line"):
        Metric(**{"compute": lambda _: 0.0, "heading": "error", "line": "; error {}", "format": str, **lacks})

"""``scripts/bench``: which kernel and how many threads its figures are about."""

import pytest
from _bench import commands, epochs, pool
from _bench import main as command
from _bench.jobs import Job
from _bench.results import best_threads
from _shared import machine

from mnist_bp.data.datasets import Dataset
from mnist_bp.storage.metadata import Environment

AVX512 = {"avx", "avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}


@pytest.fixture
def computing(monkeypatch):
    """Let this be a machine with AVX-512 whose BLAS library uses a given kernel, with given variables."""

    def compute(kernel, **variables):
        here = Environment(numpy="2.4.6", blas="openblas 0.3.31", kernel=kernel, simd=("X86_V4",), variables=variables)
        monkeypatch.setattr(machine, "describe_environment", lambda: here)
        monkeypatch.setattr("mnist_bp.instruction_sets.processor_flags", lambda: AVX512)

    return compute


@pytest.fixture
def data(few_digits):
    """A dataset that takes no time to draw."""
    return Dataset("synthetic", *few_digits)


class StandIn:
    """A worker whose epochs take the given seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def prepare(self, job):
        """Do nothing."""

    def epoch(self):
        """Return seconds and busy cores."""
        return self.seconds, 1.0

    def cost(self):
        """Return a cost."""
        return 0.5


def test_the_machine_of_a_measurement_names_the_kernel_and_its_instruction_set(computing):
    """Equal seconds of different kernels mean different things."""
    computing("SkylakeX")
    assert machine.describe()["kernel"] == "SkylakeX (AVX-512)"


def test_a_variable_that_forces_a_slower_kernel_is_warned_about_with_the_command_without_it(computing):
    """The command can be pasted."""
    computing("Haswell", OPENBLAS_CORETYPE="Haswell", OPENBLAS_L2_SIZE="512")

    warning = machine.warning("scripts/bench --epochs")

    assert "OPENBLAS_CORETYPE=Haswell" in warning
    assert "AVX2" in warning
    assert warning.endswith("env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE scripts/bench --epochs")


@pytest.mark.parametrize(("kernel", "variables"), [("SkylakeX", {}), ("SkylakeX", {"OPENBLAS_CORETYPE": "SkylakeX"})])
def test_the_best_kernel_is_not_warned_about(computing, kernel, variables):
    """A variable may also select the best kernel."""
    computing(kernel, **variables)
    assert machine.warning("scripts/bench") is None


def test_bench_warns_before_it_measures(computing, data, monkeypatch, capsys):
    """A measurement takes minutes."""
    computing("Haswell", OPENBLAS_CORETYPE="Haswell")
    monkeypatch.setattr(command, "find_data", lambda _: (None, data))
    monkeypatch.setattr(command, "run_epochs", lambda *_: None)

    with pytest.raises(SystemExit):
        command.main(["--epochs"])

    assert "WARNING: OPENBLAS_CORETYPE=Haswell" in capsys.readouterr().out


def test_commands_are_measured_with_compiled_modules(monkeypatch):
    """Without them, each start of mnist-bp compiles its source, unlike the installed packages beside it."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in pool.environment(1)
    assert "PYTHONDONTWRITEBYTECODE" not in pool.with_bytecode()


def test_the_best_number_of_threads_has_the_lowest_median():
    """A single slow round does not decide."""
    assert best_threads({1: [2.0, 9.0, 3.0], 2: [1.0, 4.0, 5.0]}) == 1


def test_each_system_of_a_row_has_its_best_number_of_threads(data):
    """The table names the number if it is not 1."""
    team = {"mnist-bp": {1: StandIn(2.0), 4: StandIn(1.0)}, "torch": {1: StandIn(3.0), 4: StandIn(6.0)}}

    comparison, _ = epochs.compare(epochs.Case(Job((16, 16)), 4), team, 2, data)

    assert comparison.seconds == {"mnist-bp": [1.0, 1.0], "PyTorch": [3.0, 3.0]}
    assert comparison.remarks["threads"] == {"mnist-bp": "4", "PyTorch": "1"}
    assert comparison.title.endswith("up to 4 threads")
    _, [[_, *cells]] = epochs.summary([comparison])
    assert cells == ["1.00 (4)", "3.00"]


def test_by_default_every_network_is_measured_with_one_and_with_all_threads(data, monkeypatch):
    """More threads may also be slower."""
    monkeypatch.setattr(epochs, "usable_cores", lambda: 8)
    cases = epochs.choose_cases([(16, 16)], None, None, None, data, full=False)
    assert [case.threads for case in cases] == [1, 8]


def test_a_race_has_the_best_number_of_threads_of_each_system():
    """A race of whole commands is as fair as a row of epochs."""

    def runner(seconds):
        return lambda _: (seconds, 3)

    runners = {"mnist-bp": {1: runner(1.0)}, "JAX": {1: runner(4.0), 2: runner(2.0)}}

    comparison = commands.take_turns("to 90 %", {}, runners, range(1, 3))

    assert comparison.seconds["JAX"] == [2.0, 2.0]
    assert comparison.remarks == {"epochs": {"mnist-bp": "3", "JAX": "3"}, "threads": {"mnist-bp": "1", "JAX": "2"}}

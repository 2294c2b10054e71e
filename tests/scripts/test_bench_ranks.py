"""``scripts/bench --ranks``: the model of a step on several ranks, and a small measurement."""

import pytest
from _bench import main as command
from _bench import ranks
from _bench.jobs import Source
from _bench.ranks_model import LINKS, Arithmetic, Link, fit_arithmetic, fit_link, flops_per_example
from mpi import needs_mpi

LINK = Link("test", 3e-6, 2e9)


def test_the_fit_finds_the_latency_and_the_bandwidth_of_exact_times():
    """From calls with two and with four ranks."""
    points = [(count, size, LINK.allreduce(count, size)) for count in (2, 4) for size in (4, 50_000, 4_000_000)]
    found = fit_link("found", points)
    assert found.latency == pytest.approx(LINK.latency)
    assert found.bandwidth == pytest.approx(LINK.bandwidth)


def test_the_fit_finds_the_flops_a_second_and_the_fixed_time():
    """From steps with several numbers of examples."""
    exact = Arithmetic(fixed=2e-4, rate=3e10, flops=10**6, n_bytes=10**5)
    points = [(rows, exact.step(LINK, 1, rows)) for rows in (50, 100, 1_000, 6_000)]
    found = fit_arithmetic(points, exact.flops, exact.n_bytes)
    assert found.rate == pytest.approx(exact.rate)
    assert found.fixed == pytest.approx(exact.fixed)


def test_noise_makes_no_fixed_time_negative():
    """Small mini-batches that were faster than proportional."""
    assert fit_arithmetic([(100, 0.9e-3), (1_000, 10e-3)], 10**6, 10**5).fixed == 0


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("count", [1, 2, 7, 256])
def test_another_rank_pays_from_the_least_batch_on(link, count):
    """At that size, a step takes equally long with one more rank; above it, that is faster, and below it slower."""
    network = Arithmetic(fixed=1e-4, rate=3e10, flops=4 * 10**6, n_bytes=2_500_000)
    least = network.least_batch(link, count)
    assert network.step(link, count + 1, least) == pytest.approx(network.step(link, count, least))
    assert network.step(link, count + 1, 2 * least) < network.step(link, count, 2 * least)
    assert network.step(link, count + 1, least / 2) > network.step(link, count, least / 2)


def test_the_flops_are_those_of_the_matrix_products():
    """Two for each multiply-add: forward, weights, and, but for the first layer, inputs."""
    assert flops_per_example((784, 16, 10)) == 2 * (2 * 784 * 16 + 3 * 16 * 10)


@needs_mpi
def test_a_small_measurement_fills_the_tables(idx_folder, monkeypatch):
    """One network, on one and on two ranks."""
    monkeypatch.setattr(ranks, "MOST_EXAMPLES", 1_000)
    monkeypatch.setattr(ranks, "MESSAGES", (1, 1_000, 50_000))
    found = ranks.measure((2,), [(4,)], [100], 1, Source(None, idx_folder))
    (case,) = found.cases
    assert {*case.strong} == {*case.weak} == {1, 2}
    assert case.allreduce(1) == 0 < case.allreduce(2) < case.step(2)
    assert ranks.table(found, (1, 2)).count("\n") == 2
    assert "another rank pays from" in "\n".join(ranks.model(found, Source(None, idx_folder).load()))


@pytest.mark.parametrize("words", [["--ranks", "1"], ["--ranks", "0"], ["--ranks"]])
def test_numbers_of_ranks_without_a_comparison_are_refused(words, capsys, monkeypatch):
    """Before anything is measured."""
    monkeypatch.setattr(command, "has_mpi", lambda: True)
    with pytest.raises(SystemExit) as ended:
        command.parse(words)
    assert ended.value.code == 2
    assert "--ranks" in capsys.readouterr().err


def test_without_mpi_the_message_names_the_extra(capsys, monkeypatch):
    """Also in a usage error."""
    monkeypatch.setattr(command, "has_mpi", lambda: False)
    with pytest.raises(SystemExit):
        command.parse(["--ranks", "1", "2"])
    assert "mpi-bundled" in capsys.readouterr().err

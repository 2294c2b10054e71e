"""``mnist-bp gradcheck``."""

from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mnist_bp.cli.models import Model, examples_for, load_model
from mnist_bp.cli.options import DATA, NETWORK, Activation, Cost, DataDir, Dataset, Hidden, Json, Seed, positive
from mnist_bp.cli.output import Output
from mnist_bp.core.names import ActivationName, CostName
from mnist_bp.errors import AnswerIsNo, InputError
from mnist_bp.training.recipe import parse_hidden

if TYPE_CHECKING:
    from mnist_bp.core.gradcheck import ArrayCheck, Check, Method
    from mnist_bp.core.network import Network
    from mnist_bp.data.datasets import Examples

__all__ = ["gradcheck"]

CHECK = "Check"
"""One more panel of ``--help``."""


def gradcheck(
    model: Model = None,
    hidden: Hidden = "16,16",
    activation: Activation = "sigmoid",
    cost: Cost = "squared-error",
    every_combination: Annotated[
        bool,
        typer.Option("--every-combination", help="Check every activation with every cost.", rich_help_panel=NETWORK),
    ] = False,
    method: Annotated[
        Literal["central", "complex", "both"],
        typer.Option(help="How to nudge: by ±ε, or by a tiny imaginary step, which is exact.", rich_help_panel=CHECK),
    ] = "both",
    epsilon: Annotated[
        float, typer.Option(metavar="ε", help="Step of central differences.", callback=positive, rich_help_panel=CHECK)
    ] = 1e-5,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="RATIO",
            help="Largest relative error that passes. [default: 1e-10 complex, 1e-6 central]",
            callback=positive,
            rich_help_panel=CHECK,
            show_default=False,
        ),
    ] = None,
    examples: Annotated[
        int, typer.Option(min=1, max=10_000, help="Examples in the mini-batch.", rich_help_panel=DATA)
    ] = 20,
    dataset: Dataset = None,
    data_dir: DataDir = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Check the gradient: nudge every weight and bias, and compare with backpropagation.

    Checks a fresh network, or a trained one: the code that trains, but in float64.

    Example: mnist-bp gradcheck --hidden 16,16
    """
    import numpy as np

    voice = Output(json=json)
    trained = load_model(model) if model is not None else None
    if trained is not None and every_combination:
        raise InputError("--every-combination checks fresh networks: leave out RUN or MODEL")
    data = examples_for(trained, dataset, data_dir, voice, examples)
    if trained is not None:
        networks = [trained.network]
        voice.say(f"model     {trained.description}")
    else:
        pairs = (
            list(product(get_args(ActivationName), get_args(CostName))) if every_combination else [(activation, cost)]
        )
        pixels = data.inputs(np.float64).shape[1]
        networks = [_fresh(pixels, hidden, *pair, seed=seed) for pair in pairs]
    methods: tuple[Method, ...] = ("complex", "central") if method == "both" else (method,)
    all_passed = True
    for network in networks:
        checks = _check(network, data, methods, epsilon, tolerance, seed)
        all_passed &= all(check.passed for check in checks)
        voice.record(_record(network, checks))
        _show(network, checks, voice, in_full=not every_combination)
    if not all_passed:
        raise AnswerIsNo("the gradient does not match")


def _fresh(pixels: int, hidden: str, activation: ActivationName, cost: CostName, *, seed: int) -> "Network":
    import numpy as np

    from mnist_bp.core.network import Network
    from mnist_bp.data.datasets import CLASSES

    sizes = (pixels, *parse_hidden(hidden), CLASSES)
    return Network(sizes, activation=activation, cost=cost, rng=np.random.default_rng(seed), dtype=np.float64)


def _check(
    network: "Network",
    data: "Examples",
    methods: "tuple[Method, ...]",
    epsilon: float,
    tolerance: float | None,
    seed: int,
) -> "list[Check]":
    """The check of ``network`` by each method, in float64 whatever the network was trained in."""
    import numpy as np

    from mnist_bp.core.gradcheck import check

    double = network.astype(np.float64)
    X, Y = double.inputs(data.inputs(np.float64)), double.targets(data.labels)
    return [
        check(double, X, Y, method=name, rng=np.random.default_rng(seed), epsilon=epsilon, tolerance=tolerance)
        for name in methods
    ]


def _record(network: "Network", checks: "list[Check]") -> dict[str, Any]:
    """The findings of the first method, with those of a second one beside them."""
    main, *others = checks
    arrays = main.arrays()
    return {
        "passed": all(check.passed for check in checks),
        "method": "both" if others else main.method,
        "activation": network.activation,
        "cost": network.cost,
        "tolerance": main.tolerance,
        "parameters_checked": sum(array.checked for array in arrays),
        "max_relative_error": max((array.max_relative_error or 0.0 for array in arrays), default=None),
        "layers": [_layer(array) for array in arrays],
        **{check.method: [_layer(array) for array in check.arrays()] for check in others},
    }


def _layer(array: "ArrayCheck") -> dict[str, Any]:
    return {
        "name": array.name,
        "shape": array.shape,
        "checked": array.checked,
        "nonzero": array.nonzero,
        **{verdict.name.lower(): count for verdict, count in array.counts.items()},
        "max_relative_error": array.max_relative_error,
        "median_relative_error": array.median_relative_error,
        "worst": {"index": array.worst, "backprop": array.backprop, "numerical": array.numerical},
    }


def _show(network: "Network", checks: "list[Check]", voice: Output, *, in_full: bool) -> None:
    """A table for each method, or, of many networks, a line for each."""
    name = f"{'-'.join(map(str, network.sizes))} {network.activation}, {network.cost}"
    if in_full:
        for check in checks:
            voice.say(f"\n{name}, {check.method} step, tolerance {check.tolerance:g}")
            voice.show(_table(check))
            voice.say()
    for check in checks:
        voice.conclude(
            f"{'passed' if check.passed else 'FAILED'}  {name}, {check.method}: {_totals(check)}", style="bold"
        )


def _totals(check: "Check") -> str:
    from mnist_bp.core.gradcheck import Verdict

    arrays = check.arrays()
    totals = {verdict: sum(array.counts[verdict] for array in arrays) for verdict in Verdict}
    worst = max((array.max_relative_error or 0.0 for array in arrays), default=0.0)
    parts = [f"{count:,} {verdict.name.lower()}" for verdict, count in totals.items() if count]
    return f"{', '.join(parts)}; largest relative error {worst:.1e}"


def _table(check: "Check") -> Table:
    from mnist_bp.core.gradcheck import Verdict

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("array", no_wrap=True)
    for heading in ("entries", "non-zero", "verified", "undecided", "failed", "median\nerror", "largest\nerror"):
        table.add_column(heading, justify="right", no_wrap=True)
    for array in check.arrays():
        counts = array.counts
        undecided = counts[Verdict.UNDECIDED] + counts[Verdict.KINK] + counts[Verdict.ZERO]
        numbers = (array.checked, array.nonzero, counts[Verdict.VERIFIED], undecided, counts[Verdict.FAILED])
        errors = (array.median_relative_error, array.max_relative_error)
        table.add_row(
            array.name, *(f"{number:,}" for number in numbers), *("-" if e is None else f"{e:.1e}" for e in errors)
        )
    return table

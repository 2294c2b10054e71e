"""``mnist-bp gradcheck``."""

from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mnist_bp.cli.config import first_explicit_option
from mnist_bp.cli.declared import whole_number
from mnist_bp.cli.load import data_at_hand, only, refuse_options_of_a_fresh_network
from mnist_bp.cli.options import (
    L2,
    ActivationOption,
    Adversarial,
    CostOption,
    Dropout,
    Hidden,
    InputDropout,
    Json,
    LabelSmoothing,
    Model,
    Quiet,
    Seed,
    WeightInit,
    help_text,
    positive,
)
from mnist_bp.cli.submissions import SECONDS, check_submissions, refuse_other_function
from mnist_bp.cli.user_code import (
    CostFunction,
    CsvFile,
    Function,
    LayoutOption,
    Signature,
    Submissions,
    TimeLimit,
)
from mnist_bp.core.choices import ACTIVATIONS, COSTS
from mnist_bp.errors import AnswerIsNo, InputError
from mnist_bp.reports.console import Console
from mnist_bp.reports.gradcheck import print_self_test, show_report
from mnist_bp.shell import option_words, program_command
from mnist_bp.training.data_settings import DataSettings
from mnist_bp.training.declaration import Range
from mnist_bp.training.notation import format_hidden, format_sizes
from mnist_bp.training.panels import DATA, NETWORK
from mnist_bp.training.saved_model import TrainedModel, fresh_network, load_model
from mnist_bp.training.settings import SETTINGS, refuse_dropout_of_nothing
from mnist_bp.training.threads import default_threads

if TYPE_CHECKING:
    from mnist_bp.gradcheck.checker import Checker
    from mnist_bp.gradcheck.numerical_gradient import Method
    from mnist_bp.network import Network

__all__ = ["gradcheck"]

CHECK = "Check"
"""Panel of ``--help``."""

SETTLED = ("hidden", "activation", "cost", "weight_init", "every_combination", "method", "epsilon", "tolerance")
"""Options that have no effect on the self-test."""

EXAMPLES = 23
"""Default number of examples, a prime: no two combinations of usual factors (½, a sum, …) have the same product."""

WRONG = "the gradient does not match"
UNDECIDED = "no derivative was verified: all are zero, or differ by no more than rounding explains"


@help_text("""The check runs the backpropagation that trains, in float64, on a fresh or a trained network. A derivative
passes if its relative error is within the tolerance; it is undecided, and counted as such, if rounding could explain
the difference. L2 penalty, dropout, label smoothing and adversarial examples are checked only with these options.

Default: a fresh network, on MNIST, or on synthetic digits if MNIST is not on disk.

Example: mnist-bp gradcheck --hidden 16,16
""")
def gradcheck(
    context: typer.Context,
    *,
    model: Model = None,
    hidden: Hidden,
    activation: ActivationOption,
    cost: CostOption,
    weight_init: WeightInit,
    every_combination: Annotated[
        bool,
        typer.Option("--every-combination", help="Check every activation with every cost.", rich_help_panel=NETWORK),
    ] = False,
    method: Annotated[
        Literal["central", "complex", "both"],
        typer.Option(
            metavar="NAME",
            help="Numerical derivative: central (steps of ±ε); complex (a tiny imaginary step, exact); both.",
            rich_help_panel=CHECK,
        ),
    ] = "both",
    epsilon: Annotated[
        float, typer.Option(metavar="ε", help="Step of central differences.", parser=positive, rich_help_panel=CHECK)
    ] = 1e-5,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="RATIO",
            help="Largest relative error that passes. Default: 1e-10 (complex), 1e-6 (central).",
            parser=positive,
            rich_help_panel=CHECK,
        ),
    ] = None,
    function: Function = None,
    cost_function: CostFunction = None,
    signature: Signature = None,
    layout: LayoutOption = None,
    submissions: Submissions = None,
    csv: CsvFile = None,
    time_limit: TimeLimit = SECONDS,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Test the check itself: it must find each known bug.", rich_help_panel=CHECK),
    ] = False,
    examples: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole_number(Range.whole(1, 10_000)),
            help="Number of examples in the mini-batch.",
            rich_help_panel=DATA,
        ),
    ] = EXAMPLES,
    source: DataSettings,
    l2: L2,
    dropout: Dropout,
    input_dropout: InputDropout,
    label_smoothing: LabelSmoothing,
    adversarial: Adversarial,
    seed: Seed,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    import numpy as np
    from threadpoolctl import threadpool_limits

    from mnist_bp.gradcheck.checker import Checker, Regularization, draw_biases
    from mnist_bp.gradcheck.result import PASSING
    from mnist_bp.gradcheck.self_test import HIDDEN, SelfTest
    from mnist_bp.gradcheck.signatures import split_words

    console = Console(json=json, quiet=quiet)
    check = Checker(
        _methods(method, is_brief=submissions is not None),
        epsilon,
        tolerance,
        seed,
        function,
        Regularization(l2, dropout, input_dropout, label_smoothing, adversarial or 0.0),
        split_words(signature),
        split_words(layout),
        cost_function,
    )
    _refuse_contradictions(context, check)
    trained = load_model(model) if model is not None else None
    dataset = data_at_hand(trained, source, console, **only("train", examples))
    data = dataset.train.first(examples)
    X = data.inputs(np.float64)
    synthetic = " (SYNTHETIC)" * dataset.is_synthetic
    console.print(f"examples  the first {len(data)} of {dataset.name}'s training set{synthetic}")
    if self_test:
        with threadpool_limits(default_threads(HIDDEN)):
            print_self_test(SelfTest(X, data.labels, dataset.classes, seed), console)
        return
    if trained is not None:
        networks = [trained.network]
        console.print(f"model     {trained.description}, trained in {trained.network.dtype}, checked in float64")
    else:
        pairs = [(activation, cost)] if not every_combination else product(ACTIVATIONS, COSTS)
        networks = [fresh_network(dataset, hidden, *pair, seed=seed, weight_init=weight_init) for pair in pairs]
        for network in networks:
            draw_biases(network, seed)
        console.print(f"network   {format_sizes(networks[0].sizes)}, fresh, with random biases, seed {seed}")
    refuse_dropout_of_nothing(dropout, networks[0].sizes[1:-1])  # all have the same layers
    if in_use := check.regularization.in_use:
        console.print(f"cost      with {', '.join(f'{name} {value:g}' for name, value in in_use.items())}")
    data_options = {"examples": examples, **source.options()}
    outcomes: set[str] = set()
    # Threads would wait for each other: the matrices of a check are small, and there are thousands of products.
    with threadpool_limits(default_threads(networks[0].sizes[1:-1])):
        if submissions is not None:
            check_submissions(submissions, networks[0], X, data.labels, check, console, csv=csv, seconds=time_limit)
            return
        for network in networks:
            console.require_reader(AnswerIsNo(WRONG) if "failed" in outcomes else None)
            report = check.run(network, X, data.labels)
            described = _network_words(trained, network, weight_init, has_own_cost=cost_function is not None)
            repeat = program_command("gradcheck", *described, *_check_words(check), *option_words(data_options))
            show_report(report, dataset, console, repeat=repeat, in_full=not every_combination)
            outcomes.add(report.outcome)
    if not outcomes <= PASSING:
        raise AnswerIsNo(WRONG if "failed" in outcomes else UNDECIDED)


def _methods(method: Literal["central", "complex", "both"], *, is_brief: bool) -> "tuple[Method, ...]":
    """Return the methods of ``--method``. For submissions, which are many, ``both`` is the exact one alone."""
    if method == "both":
        return ("complex",) if is_brief else ("complex", "central")
    return (method,)


def _refuse_contradictions(context: typer.Context, check: "Checker") -> None:
    """Raise InputError for options that exclude each other."""
    given, function, in_use = context.params, check.function, check.regularization.in_use
    if function is None and (option := first_explicit_option(context, ("signature", "layout", "cost_function"))):
        raise InputError(f"{option} belongs to a function: it requires --function")
    if check.cost_function is not None and (
        option := first_explicit_option(context, ("activation", "cost", "submissions"))
    ):
        raise InputError(f"--cost-function checks one function against a cost of your own: leave out {option}")
    if given["submissions"] is not None:
        refuse_other_function(function)
    elif option := first_explicit_option(context, ("csv", "time_limit")):
        raise InputError(f"{option} requires --submissions")
    if given["self_test"] and (option := first_explicit_option(context, SETTLED)):
        raise InputError(f"--self-test has a fixed network and method: leave out {option}")
    if (given["self_test"] or given["every_combination"]) and (given["model"] is not None or function is not None):
        option = "--self-test" if given["self_test"] else "--every-combination"
        raise InputError(f"{option} checks fresh networks: leave out RUN, MODEL and --function")
    if given["model"] is not None:
        refuse_options_of_a_fresh_network(context)
    if in_use and (given["self_test"] or function is not None):
        options = ", ".join(f"--{name}" for name in in_use)
        raise InputError(f"--function and --self-test check the plain cost: leave out {options}")


def _check_words(check: "Checker") -> list[str]:
    """Return the options that repeat a check."""
    method = check.methods[0] if len(check.methods) == 1 else "both"
    options = {"method": method, "epsilon": check.epsilon, "tolerance": check.tolerance, "seed": check.seed}
    user_code = {"function": check.function, "cost-function": check.cost_function}
    user_code |= {name: ",".join(getattr(check, name)) or None for name in ("signature", "layout")}
    return option_words({**options, **user_code, **check.regularization.in_use})


def _network_words(
    trained: TrainedModel | None, network: "Network", weight_init: str, *, has_own_cost: bool
) -> list[object]:
    """Return the arguments that name this network."""
    if trained is not None:
        return [trained.path]
    hidden = format_hidden(network.sizes[1:-1])
    functions = [] if has_own_cost else ["--activation", network.activation, "--cost", network.cost]
    if weight_init != SETTINGS["weight_init"].default:
        functions += ["--weight-init", weight_init]
    return ["--hidden", hidden, *functions]

"""The programs of mnist_bp/README.md for other tools: those whose packages are installed give the outputs of ours."""

import ast
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

import mnist_bp
from mnist_bp import Network, api
from mnist_bp.data.examples import Dataset

MANUAL = (Path(mnist_bp.__file__).parent / "README.md").read_text(encoding="utf-8")
SECTION = MANUAL.partition("\n## Other tools\n")[2].partition("\n## ")[0]
BLOCKS = [
    textwrap.dedent(text).strip() for text in re.findall(r"(?<=\n\n)(?: {4}[^\n]*\n+)+", SECTION) if " import " in text
]
OURS, *TOOLS, STATE, SAVE = BLOCKS

NETWORKS = {
    "relu": ("relu", "cross-entropy", (12, 8), np.float32),
    "sigmoid": ("sigmoid", "squared-error", (12,), np.float32),
    "tanh": ("tanh", "binary-cross-entropy", (), np.float32),
    "leaky-relu": ("leaky-relu", "cross-entropy", (6, 6, 6), np.float32),
    "float64": ("sigmoid", "cross-entropy", (5,), np.float64),
}
"""Networks with all activations and costs."""


@pytest.fixture(params=NETWORKS)
def program(request, few_digits, monkeypatch):
    """Run the first program, which all others continue, for a network, and return its names."""
    activation, cost, hidden, dtype = NETWORKS[request.param]
    net = Network([784, *hidden, 10], activation=activation, cost=cost, rng=np.random.default_rng(1), dtype=dtype)
    net.parameters += 0.05  # biases are 0 at the start
    Path("RUN").mkdir()
    net.save("RUN/model.npz")
    monkeypatch.setattr(api, "load_dataset", lambda name: Dataset(name, *few_digits))
    names = {}
    exec(OURS, names)
    return names


def packages(block):
    """Return the packages that a program imports."""
    nodes = ast.walk(ast.parse(block))
    return {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names} - {"numpy"}


def test_the_manual_has_a_program_for_each_tool():
    """Each is valid Python; its first line names the package."""
    assert [block.split("\n")[0] for block in TOOLS] == ["import torch", "import keras", "import jax", "import onnx"]
    assert STATE.startswith("import torch")
    for block in BLOCKS:
        compile(block, "README.md", "exec")


def test_the_first_program_needs_no_other_package(program):
    """It lists W, b and σ of each layer; ours are computed from them here."""
    a = program["x"].astype(np.float64)
    functions = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: np.maximum(z, 0),
        "leaky-relu": lambda z: np.where(z > 0, z, 0.01 * z),
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    }
    for W, b, σ in program["layers"]:
        a = functions[σ](a @ W.T.astype(np.float64) + b)
    np.testing.assert_allclose(program["net"].forward(program["x"]), a, atol=1e-6)


@pytest.mark.filterwarnings("ignore")  # of other packages
@pytest.mark.parametrize("block", TOOLS, ids=lambda block: block.split()[1])
def test_other_tools_compute_our_outputs(program, block):
    """Up to rounding in float32."""
    for package in packages(block):
        pytest.importorskip(package.partition(".")[0])
    exec(block, program)
    expected = program["net"].forward(program["x"])
    np.testing.assert_allclose(np.asarray(program["outputs"]), expected, rtol=0, atol=1e-6)


def test_a_state_dict_becomes_a_model_for_every_command(cli, idx_folder, rng):
    """Here of arrays, as the program before it returns them."""
    net = Network([784, 12, 10], activation="relu", cost="cross-entropy", rng=rng)
    net.parameters += 0.1
    names = [f"{number}.{part}" for number in (0, 2) for part in ("weight", "bias")]
    state = dict(zip(names, net.named_arrays().values(), strict=True))
    exec(SAVE, {"state": state})
    np.testing.assert_array_equal(Network.load("imported.npz").parameters, net.parameters)
    (record,) = cli("evaluate", "imported.npz", "--data-dir", idx_folder, "--json").records
    assert record["examples"] == 250
    for command in ("page", "gradcheck"):
        assert cli(command, "imported.npz", "--data-dir", idx_folder).code == 0


@pytest.mark.filterwarnings("ignore")
def test_a_state_dict_is_read_from_a_file_of_pytorch():
    """And has the arrays of its layers, in their order."""
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(784, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10))
    torch.save(model.state_dict(), "model.pt")
    names = {}
    exec(STATE, names)
    exec(SAVE, names)
    x = torch.rand(20, 784)
    expected = torch.softmax(model(x), dim=1).detach().numpy()
    np.testing.assert_allclose(Network.load("imported.npz").forward(x.numpy()), expected, atol=1e-6)


def test_inputs_that_were_normalized_move_into_the_first_layer(rng):
    """By the formula of the manual: W1 / s, and b1 − μ/s · Σ_k w_jk."""
    net = Network([784, 12, 10], rng=rng, dtype=np.float64)
    x, μ, s = rng.random((5, 784)), 0.1307, 0.3081
    expected = net.forward((x - μ) / s)
    for formula in re.findall(r"`(net\.(?:biases|weights)[^`]*)`", SECTION):
        exec(formula, {"net": net, "μ": μ, "s": s})
    np.testing.assert_allclose(net.forward(x), expected, rtol=1e-12)

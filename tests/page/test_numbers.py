"""Thousands of numbers that the page displays, beside those of numpy."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from page_actions import Browser, assert_shows

from mnist_bp import Network
from mnist_bp.core.choices import COSTS
from mnist_bp.core.network import backward, forward
from mnist_bp.data.datasets import Dataset

pytestmark = pytest.mark.browser

COLLECT = """
const [examples, addresses] = arguments;
const texts = (selector) => [...document.querySelectorAll(selector)].map((one) => one.textContent);
const columns = (table) => {
  const names = [...document.querySelectorAll(`${table} tbody tr:first-child td`)].map((cell) => cell.dataset.what);
  return Object.fromEntries(names.map((name) => [name, texts(`${table} tbody td[data-what=${name}]`)]));
};
const found = [];
const stages = Number(byId("progress").textContent.split("/")[1]);
for (const example of examples) {
  showExample(example);
  for (const sign of ["wish", "derivative"]) {
    for (let stage = 0; stage <= stages; stage++) {
      set({sign, stage, panel: "numbers"});
      renderAtOnce();
      const layer = byId("layer-part").hidden ? null : Number(texts("#layer-caption")[0].match(/\\d+/)[0]);
      found.push({example, sign, stage, cost: texts("#cost"), outputs: columns("#outputs"), layer,
        layers: layer === null ? {} : columns("#layer-table"), norms: texts("#diagram .norm").slice(1)});
    }
    for (const address of addresses) {
      set({panel: "numbers"});
      setChosen(address);
      renderAtOnce();
      const card = texts("#card [data-what=card-product]");
      set({panel: "edge"});
      renderAtOnce();
      found.push({example, sign, address, card, factors: texts("#edge .factors .value"),
        sums: texts("#edge [data-what=sum]")});
    }
    setChosen(null);
  }
}
return found;
"""
"""Function of examples and addresses: what the page displays of them, at every stage and in both signs."""


class Exact(NamedTuple):
    """Values of one example in float64, by layer."""

    Z: dict[int, NDArray[Any]]
    A: dict[int, NDArray[Any]]
    slope: dict[int, NDArray[Any]]
    dC_dA: dict[int, NDArray[Any]]
    dC_dZ: dict[int, NDArray[Any]]
    norm: dict[int, float]
    cost: float


def exact(network: Network, x: NDArray[Any], label: int) -> Exact:
    """Return what the page should display of an example."""
    L = len(network.sizes) - 1
    trace = forward(network, x[None])
    y = network.targets(np.array([label]))
    gradient = backward(network, trace, y)
    A = {l: trace.A[l][0] for l in range(L + 1)}
    Z = {l: network.weights[l - 1] @ A[l - 1] + network.biases[l - 1] for l in range(1, L + 1)}
    dC_dZ = {l: gradient.b[l] for l in range(1, L + 1)}
    dC_dA = {l: network.weights[l].T @ dC_dZ[l + 1] for l in range(L)}
    dC_dA[L] = 2 * (A[L] - y[0])
    slope = {l: np.broadcast_to(trace.dA_dZ[l], (1, network.sizes[l]))[0] for l in range(1, L + 1)}
    cost = COSTS[network.cost].per_example(trace.Z, trace.A[L], y)[0]
    return Exact(Z, A, slope, dC_dA, dC_dZ, {l: float(np.linalg.norm(gradient.W[l])) for l in slope}, float(cost))


@pytest.mark.parametrize("kind", [("sigmoid", "squared-error"), ("tanh", "cross-entropy")])
def test_thousands_of_displayed_numbers_are_those_of_numpy(
    browser: Browser,
    errors: None,
    show: Callable[..., None],
    data: Dataset,
    rng: np.random.Generator,
    kind: tuple[str, str],
) -> None:
    """To 1e-5, or to the digits displayed: tables, cost, norms, card and paths, as wishes and as derivatives."""
    network = Network([784, 7, 6, 10], activation=kind[0], cost=kind[1], rng=rng)
    network.parameters += rng.normal(size=network.parameters.shape).astype(np.float32) / 20
    show(network, data)
    examples = rng.choice(50, 2, replace=False).tolist()
    sizes = network.sizes
    addresses = [
        {"layer": l, "j": int(rng.integers(sizes[l])), "k": k}
        for l in (1, 2, 3)
        for k in (*rng.choice(sizes[l - 1], 3).tolist(), None)
    ]

    records = browser.execute_script(COLLECT, examples, addresses)

    reference = {
        e: exact(network.astype(np.float64), data.test.inputs(np.float64)[e], int(data.test.labels[e]))
        for e in examples
    }
    count = 0
    for record in records:
        for texts, numbers in compared(record, reference[record["example"]], kind[1]):
            assert_shows(texts, numbers)
            count += len(texts)
    assert count > 2000


def compared(record: dict[str, Any], true: Exact, cost: str) -> list[tuple[list[str], list[float]]]:
    """Return the texts of a record, and the numbers that they should be."""
    sign = -1 if record["sign"] == "wish" else 1
    if "address" in record:
        return of_address(record, true, sign, is_fused=cost != "squared-error")
    start = true.dC_dA[3] if cost == "squared-error" else true.dC_dZ[3]
    pairs = [
        (record["cost"], [true.cost]),
        (record["outputs"]["a"], true.A[3]),
        (record["outputs"]["nudge"], sign * start),
        (known := [text for text in record["norms"] if text], [true.norm[l] for l in range(4 - len(known), 4)]),
    ]
    if (layer := record["layer"]) is not None:
        columns = {
            "z": true.Z[layer],
            "a": true.A[layer],
            "slope": true.slope[layer],
            "dC_dz": sign * true.dC_dZ[layer],
            "dC_da": sign * true.dC_dA[layer],
            "dC_db": sign * true.dC_dZ[layer],
        }
        pairs += [(texts, columns[name]) for name, texts in record["layers"].items()]
    return [(texts, list(numbers)) for texts, numbers in pairs]


def of_address(
    record: dict[str, Any], true: Exact, sign: int, *, is_fused: bool
) -> list[tuple[list[str], list[float]]]:
    """Return the texts of the factors of an address, and the numbers that they should be."""
    layer, j, k = (record["address"][name] for name in ("layer", "j", "k"))
    a_k = 1.0 if k is None else true.A[layer - 1][k]
    product = sign * a_k * true.dC_dZ[layer][j]
    last = (
        [sign * true.dC_dZ[layer][j]]
        if is_fused and layer == 3
        else [true.slope[layer][j], sign * true.dC_dA[layer][j]]
    )
    sums = record["sums"][:1]  # the first sum is that of the neuron itself
    return [
        (record["factors"], [a_k, *last, product]),
        (record["card"], [product]),
        (sums, [sign * true.dC_dA[layer][j]] * len(sums)),
    ]

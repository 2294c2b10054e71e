"""Record PyTorch's gradients of random networks, in float64, for ``tests/gradcheck/test_random_networks.py``.

PYTHONPATH=. python tests/support/record_torch_gradients.py

It needs PyTorch (recorded with 2.13.0), and writes ``tests/gradcheck/torch_gradients.npz``: all derivatives of the
saturated networks, six of each of the others, and a checksum of the networks.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from random_networks import ORDINARY, SATURATED, random_network, selected

from mnist_bp import Network
from mnist_bp.core.constants import LEAKY_SLOPE
from mnist_bp.core.objective import Objective

FILE = Path(__file__).parents[1] / "gradcheck" / "torch_gradients.npz"

ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky-relu": lambda z: torch.nn.functional.leaky_relu(z, LEAKY_SLOPE),
    "identity": lambda z: z,
}


def cost(network: Network, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean cost, computed from the weighted sums of the outputs."""
    if network.cost == "cross-entropy":
        return torch.nn.functional.cross_entropy(z, y)
    if network.cost == "binary-cross-entropy":
        return torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(y)
    return ((ACTIVATIONS[network.output_activation](z) - y) ** 2).sum() / len(y)


def gradient(network: Network, objective: Objective) -> np.ndarray:
    """Return the gradient that PyTorch computes, as a vector in the order of the network's parameters."""
    layers = {l: [torch.tensor(array, requires_grad=True) for array in (network.W[l], network.b[l])] for l in network.W}
    a = torch.tensor(objective.X)
    for l, (W, b) in layers.items():
        z = torch.nn.functional.linear(a, W, b)
        a = ACTIVATIONS[network.activation](z) if l < network.L else a
    cost(network, z, torch.tensor(objective.Y)).backward()
    found = network.parameter_vector.like(np.empty(len(network.parameters)))
    for l, (W, b) in layers.items():
        found.W[l][...], found.b[l][...] = W.grad.numpy(), b.grad.numpy()
    return found.vector


def main() -> None:
    """Write the file."""
    torch.set_num_threads(1)
    checksum = hashlib.sha256()
    saturated, ordinary = [], []
    for number in range(SATURATED):
        network, objective = random_network(number, is_saturated=True)
        checksum.update(network.parameters.tobytes() + objective.X.tobytes())
        saturated.append(gradient(network, objective))
    for number in range(ORDINARY):
        network, objective = random_network(number, is_saturated=False)
        checksum.update(network.parameters.tobytes() + objective.X.tobytes())
        ordinary.append(gradient(network, objective)[selected(number, len(network.parameters))])
    np.savez_compressed(
        FILE,
        saturated=np.concatenate(saturated),
        ordinary=np.concatenate(ordinary),
        torch=torch.__version__,
        checksum=checksum.hexdigest(),
    )
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")  # noqa: T201 - a script


if __name__ == "__main__":
    main()

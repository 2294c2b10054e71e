"""What can be chosen, by name; apart from the code that does it, so that naming it needs no numpy."""

from typing import Literal

__all__ = ["MOMENTUM", "ActivationName", "CostName", "DtypeName", "OptimizerName", "OutputActivationName"]

ActivationName = Literal["sigmoid", "tanh", "relu", "leaky-relu"]
OutputActivationName = Literal[ActivationName, "softmax"]
CostName = Literal["squared-error", "cross-entropy"]
OptimizerName = Literal["sgd", "momentum", "nesterov", "adam"]
DtypeName = Literal["float32", "float64"]

MOMENTUM = 0.9
"""μ of the optimizers momentum and nesterov: each gradient goes on to move the parameters, ten times as far in all."""

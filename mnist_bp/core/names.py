"""The names of what can be chosen; apart from the code that does it, so that naming them needs no numpy."""

from typing import Literal

__all__ = ["ActivationName", "CostName", "DtypeName", "OutputActivationName"]

ActivationName = Literal["sigmoid", "tanh", "relu", "leaky-relu"]
OutputActivationName = Literal[ActivationName, "softmax"]
CostName = Literal["squared-error", "cross-entropy"]
DtypeName = Literal["float32", "float64"]

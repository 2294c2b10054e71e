"""The equations of ``network.py`` as a list of numpy calls, without the Python between them.

A step of a small network takes microseconds, half of which Python spends on looking up layers and allocating arrays.
``RecordedGradient`` runs ``forward`` and ``backward`` once, with stand-ins for the arrays of a mini-batch. They note
every call of numpy with its arguments and a buffer for its result. Calling them again, in order, computes the gradient
of whatever mini-batch the first buffers hold. There is still one backpropagation: these are its calls, and the numbers
are equal to the bit.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from mnist_bp.core.activations import Array
from mnist_bp.core.network import Layers, Masks, backward, forward
from mnist_bp.core.parameters import ParameterVector

__all__ = ["NotRecordable", "RecordedGradient"]

Calls = list[Callable[[], object]]


class NotRecordable(Exception):
    """Operation that stand-ins do not support. The network has to be computed without recording."""


class RecordedGradient:
    """∇C of a network for mini-batches of n examples.

    Parameters
    ----------
    network
        Network with parameters of a real type, which are used where they are.
    inputs, targets
        Buffers X, (n, n_0), and Y, (n, n_L), that hold the mini-batch at each call.
    gradient
        Vector that receives ∇C at each call.
    masks
        Buffers that hold the masks of dropout at each call, see ``network.forward``. Empty if nothing is dropped.

    Attributes
    ----------
    Z
        Weighted sums of the outputs, (n, n_L), after a call.

    Raises
    ------
    NotRecordable
        If an activation or the cost uses an operation that cannot be recorded.
    """

    def __init__(self, network: Layers, inputs: Array, targets: Array, gradient: ParameterVector, masks: Masks) -> None:
        self._calls: Calls = []
        X, Y = (_Recorder(array, self._calls) for array in (inputs, targets))
        recorded = {l: _Recorder(mask, self._calls) for l, mask in masks.items()}
        try:
            with np.errstate(all="ignore"):  # the buffers hold anything
                trace = forward(network, X, masks=recorded)  # type: ignore[arg-type]  # stand-ins
                backward(network, trace, Y, out=gradient)  # type: ignore[arg-type]
        except TypeError as error:  # from Python or numpy, which do not know stand-ins
            raise NotRecordable(str(error)) from error
        self.Z: Array = trace.Z.array  # type: ignore[attr-defined]

    def __call__(self) -> None:
        """Compute Z and ∇C of the mini-batch that is in the buffers now."""
        for call in self._calls:
            call()


class _Recorder(NDArrayOperatorsMixin):
    """Stand-in for a real array. It computes like the array, and appends its calls, with buffers, to ``calls``."""

    def __init__(self, array: Array, calls: Calls) -> None:
        self.array, self._calls = array, calls

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def T(self) -> "_Recorder":
        return _Recorder(self.array.T, self._calls)

    @property
    def real(self) -> "_Recorder":
        return self

    def __len__(self) -> int:
        return len(self.array)

    def max(self, **options: Any) -> Any:
        return np.maximum.reduce(self, **{"axis": None, **options})

    def sum(self, **options: Any) -> Any:
        return np.add.reduce(self, **{"axis": None, **options})

    def astype(self, dtype: DTypeLike) -> "_Recorder":
        return self._copy(self.array, np.empty(self.array.shape, dtype))

    def __getattr__(self, name: str) -> NoReturn:
        raise NotRecordable(name)

    def __pow__(self, exponent: Any) -> NoReturn:
        raise NotRecordable("power")  # an array squares a number, which np.power rounds otherwise

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (), **options: Any) -> "_Recorder":
        arrays = [self._operand(each) for each in inputs]
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        result = _array(out[0]) if out else function(*arrays, **options)
        if not isinstance(result, np.ndarray):
            raise NotRecordable(f"{ufunc.__name__}.{method}")
        if ufunc is np.matmul:
            return self._product(arrays[0], arrays[1], result)
        if options or function in (np.maximum, np.minimum):  # these two deprecate the short form
            return self._call(partial(function, *arrays, **options, out=result), result)
        return self._call(partial(function, *arrays, result), result)  # half as long as with a keyword

    def __array_function__(self, function: Any, _: Any, args: Any, options: Any) -> "_Recorder":
        arrays = [_array(each) for each in args]
        if function is np.dot:
            result = _array(options["out"])
            return self._call(partial(np.dot, *arrays, result), result)
        if function is np.where:
            condition, true, false = arrays
            result = np.where(condition, true, false)
            self._copy(false, result)
            return self._copy(true, result, where=condition)
        if function is np.ones_like:
            return self._copy(self.dtype.type(1), np.empty_like(self.array))
        raise NotRecordable(function.__name__)

    def _operand(self, value: Any) -> Any:
        """Return the array of a stand-in. A Python number becomes an array, which spares a conversion at each call."""
        is_number = isinstance(value, int | float) and self.dtype.kind == "f"
        return np.asarray(value, self.dtype) if is_number else _array(value)

    def _product(self, left: Array, right: Array, out: Array) -> "_Recorder":
        """Record a matrix product. np.dot calls the same function of BLAS as matmul with less overhead."""
        if out.flags.c_contiguous:
            return self._call(partial(np.dot, left, right, out), out)
        return self._call(partial(np.dot, right.T, left.T, out.T), out)

    def _copy(self, source: Any, out: Array, *, where: Any = True) -> "_Recorder":
        return self._call(partial(np.copyto, out, source, where=where), out)

    def _call(self, call: Callable[[], object], result: Array) -> "_Recorder":
        call()
        self._calls.append(call)
        return _Recorder(result, self._calls)


def _array(value: Any) -> Any:
    return value.array if isinstance(value, _Recorder) else value

"""Metadata of a model file (the JSON object ``meta``), declared once.

Writing, reading and the table in ``mnist_bp/README.md`` follow from the fields of ``Metadata`` and ``Environment``,
whose names are the keys in the file. Only what is known is written. A key that is missing, as in files of older
versions, or whose value is invalid reads as the default of its field.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, Self

from mnist_bp.errors import InputError

__all__ = ["KEPT", "Environment", "Metadata", "check", "described"]

KEPT = ("last", "best")
"""Epochs whose model can be saved: the last one, or the one with the best validation accuracy."""

UNKNOWN: tuple[Any, ...] = (None, (), {})
"""Values of fields that are unknown and therefore not written."""


class Kind(NamedTuple):
    """Type of a value in JSON: its description, a test, and the conversion to the value of the field."""

    name: str
    fits: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value


STRING = Kind("string", lambda value: isinstance(value, str))
WHOLE = Kind("whole number", lambda value: type(value) is int)
NUMBER = Kind("number", lambda value: isinstance(value, int | float) and type(value) is not bool)
FLAG = Kind("true or false", lambda value: type(value) is bool)
OBJECT = Kind("object", lambda value: isinstance(value, dict))


def _list(name: str, of: Kind, length: int | None = None) -> Kind:
    """Return the kind of a list of one kind, of any length or of this one. It is read as a tuple."""

    def fits(value: Any) -> bool:
        return isinstance(value, list | tuple) and length in {None, len(value)} and all(map(of.fits, value))

    return Kind(name, fits, tuple)


STRINGS, WHOLES = _list("strings", STRING), _list("whole numbers", WHOLE)
TWO_WHOLES, TWO_NUMBERS = _list("two whole numbers", WHOLE, 2), _list("two numbers", NUMBER, 2)
EPOCH = Kind("`last` or `best`", lambda value: value in KEPT)


def key(kind: Kind, text: str, default: Any = None) -> Any:
    """Declare a key of the metadata. ``default`` is its value for a file without it; None if it is unknown then."""
    about = {"kind": kind, "text": text, "default": default}
    if isinstance(default, dict):  # dataclasses refuse a default that can change
        return field(default_factory=default.copy, metadata=about)
    return field(default=default, metadata=about)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Fields that are declared by ``key``."""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        """Return the values in a file. A missing or invalid one has its default, and other keys are ignored."""
        kinds = {each.name: each.metadata["kind"] for each in fields(cls) if each.name in content}
        return cls(**{name: kind.read(content[name]) for name, kind in kinds.items() if kind.fits(content[name])})

    def record(self) -> dict[str, Any]:
        """Return the values that are known, by key, for JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        records = {name: value.record() if isinstance(value, Keys) else value for name, value in values.items()}
        return {name: value for name, value in records.items() if value not in UNKNOWN}


@dataclass(frozen=True, kw_only=True)
class Environment(Keys):
    """Software and hardware. Together with settings and data, they determine the last bits of a training's results."""

    python: str | None = key(STRING, "implementation and version of Python")
    numpy: str | None = key(STRING, "version of numpy")
    simd: tuple[str, ...] = key(STRINGS, "SIMD extensions that numpy uses above its baseline", ())
    blas: str | None = key(STRING, "library of the matrix products, with its version")
    kernel: str | None = key(STRING, "kernel that this library selected for the processor")
    threads: int | None = key(WHOLE, "number of threads of the matrix products")
    processor: str | None = key(STRING, "model of the processor")
    system: str | None = key(STRING, "operating system and architecture")
    variables: dict[str, str] = key(OBJECT, "environment variables that were set and affect kernels or threads", {})


@dataclass(frozen=True, kw_only=True)
class Metadata(Keys):
    """Metadata of a model file."""

    format: int | None = key(WHOLE, "version of the file's layout")
    version: str | None = key(STRING, "version of mnist-bp that wrote the file")
    created_by: str | None = key(STRING, "program that created the network")
    sizes: tuple[int, ...] = key(WHOLES, "neurons of each layer, inputs first", ())
    activation: str | None = key(STRING, "activation function of the hidden layers")
    cost: str | None = key(STRING, "cost function")
    output_activation: str | None = key(STRING, "activation function of the outputs")
    dtype: str | None = key(STRING, "floating-point type of the parameters")
    dataset: str | None = key(STRING, "name of the training's dataset")
    synthetic: bool = key(FLAG, "true if its digits were drawn by a program", default=False)
    fallback: bool = key(FLAG, "true if they replaced MNIST, which was not available", default=False)
    classes: int | None = key(WHOLE, "number of classes")
    class_names: tuple[str, ...] = key(STRINGS, "names of the classes; missing for digits", ())
    image_shape: tuple[int, int] | None = key(TWO_WHOLES, "rows and columns of an image")
    input_scaling: tuple[float, float] = key(TWO_NUMBERS, "inputs for grey levels 0 and 255; linear between", (0, 1))
    invert: bool = key(FLAG, "true if grey levels are inverted (255 − grey level) first", default=False)
    dark_on_light: bool = key(FLAG, "polarity of the inputs: true if they show dark ink on light paper", default=False)
    config: dict[str, Any] = key(OBJECT, "settings of the training, such as seed, as in config.toml", {})
    epochs: int | None = key(WHOLE, "number of epochs that trained the saved model")
    kept: str = key(EPOCH, "saved epoch; `best` by validation accuracy", "last")
    test_accuracy: float | None = key(NUMBER, "accuracy of the saved model on the test set, 0 to 1")
    environment: Environment = key(
        OBJECT._replace(read=Environment.read), "software and hardware of the training", Environment()
    )


def check(content: Mapping[str, Any]) -> None:
    """Raise InputError if a declared key has a value of another kind. Other keys may have any value."""
    for each in fields(Metadata):
        kind = each.metadata["kind"]
        if each.name in content and not kind.fits(content[each.name]):
            raise InputError(f"metadata {each.name} is {content[each.name]!r}; expected {kind.name}")


def described() -> Iterator[tuple[str, str, str, Any]]:
    """Yield name, kind, meaning and default of every key, for the documentation."""
    for prefix, declaration in (("", Metadata), ("environment.", Environment)):
        for each in fields(declaration):
            about = each.metadata
            yield prefix + each.name, about["kind"].name, about["text"], about["default"]

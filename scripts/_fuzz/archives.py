"""Hostile .npz files: model files and checkpoints with invalid content, structure or bytes.

Most of them end in a correct SHA-256 checksum, so that the reader must detect the actual fault.
"""

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np

from _fuzz.mutations import LIMITS, hostile_value, mutated_bytes, mutated_value, wild_text
from mnist_bp.storage import npz

__all__ = ["SPRUNG", "hostile_archive"]

SPRUNG: list[str] = []
"""Messages of pickles that were loaded, which must never happen."""

DTYPES = ["'<f4'", "'>f4'", "'<f8'", "'<f2'", "'<c8'", "'|u1'", "'<i8'", "'|O'", "'<U1'", "'|S0'", "'|V0'", "'<M8[s]'",
          "'<f4, <f4'", "[('x', '<f4')]", "[('x', '|O')]", "[('x', '<f4', (2,))]", "('<f4', (1,))", "'f' * 3", "None",
          "''", "'" + "9" * 50 + "f4'"]  # fmt: skip
SHAPES = ["()", "(0,)", "(-1,)", "(1, -1)", "(2.0,)", "(True,)", "(None,)", "[3]", "3", "'3'", "(3L,)", "(0, 10**9)",
          f"({2**31},)", f"({2**63},)", f"({2**64}, 0)", "(0x" + "f" * 999 + ",)", "(" + "9" * 4999 + ",)",
          "(" + "1, " * 64 + ")", "(" * 500 + ")" * 500, "-" * 5000 + "1", "__import__('os')", "(1,) * 9"]  # fmt: skip
TEXTS = ["", "{", "[]", "null", "2", '{"format": 2', '{"format": 2}' * 2, "[" * 50_000, '{"a":' * 20_000,
         '{"format": ' + "9" * 5000 + "}", '{"format": 1e400}', '{"format": NaN}', '{"format": 2, "format": "2"}',
         '"\\ud800"', '{"format": 2, "sizes": ' + "[" * 900 + "]" * 900 + "}"]  # fmt: skip

SIGNATURES = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
"""Signatures of the headers in a .zip file, which are followed by numbers."""


class _Trap:
    """An object whose pickle runs code when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _spring, ()


def _spring() -> None:
    SPRUNG.append("a pickle was opened")


def hostile_archive(arrays: Mapping[str, np.ndarray[Any, Any]], meta: Mapping[str, Any], random: Random) -> bytes:
    """Return an archive of these arrays and ``meta`` with a random fault, or occasionally a valid one."""
    members = {**{name: _npy(array) for name, array in arrays.items()}, npz.META: _npy(_text(meta))}
    name = random.choice(list(members))
    what = random.randrange(14)
    if what < 4:
        members[npz.META] = _npy(_text(mutated_value(meta, random)))
    elif what == 4:
        members[npz.META] = _npy(np.array(_hostile_json(meta, random)))
    elif what in {5, 6}:
        name = random.choice(list(arrays))
        members[name] = _npy(_hostile_array(arrays[name], random))
    elif what in {7, 8}:
        members[name] = _hostile_npy(members[name], random)
    elif what == 9:
        members = _other_members(members, random)
    if what == 10:
        return random.choice([pickle.dumps(_Trap()), b"", random.randbytes(200), wild_text(random).encode()])
    content = _sealed(members, random, compress=what == 9 and random.random() < 0.2, twice=name if what == 11 else None)
    if what < 12:
        return content
    spoiled = mutated_bytes(content, random) if random.random() < 0.5 else _with_other_numbers(content, random)
    return spoiled if random.random() < 0.2 else _sealed_anew(spoiled)


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    room = io.BytesIO()
    np.lib.format.write_array(room, array, allow_pickle=True)
    return room.getvalue()


def _text(meta: Any) -> np.ndarray[Any, Any]:
    return np.array(json.dumps(meta))


def _hostile_json(meta: Mapping[str, Any], random: Random) -> str:
    """Return invalid JSON, JSON that is hard to parse, or JSON that is not valid as ``meta``."""
    if random.random() < 0.5:
        return random.choice(TEXTS)
    return mutated_bytes(json.dumps(meta).encode(), random).decode("latin-1")


def _hostile_array(array: np.ndarray[Any, Any], random: Random) -> np.ndarray[Any, Any]:
    """Return an array with NaN or very large numbers, or with another dtype or shape."""
    what = random.randrange(8)
    if what < 3:
        spoiled = np.array(array)
        number = random.choice([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-40, -1, 0, *LIMITS[-7:]])
        with np.errstate(all="ignore"):
            spoiled[(..., *random.choices([slice(None), 0], k=array.ndim))] = np.array(float(number)).astype(
                array.dtype
            )
        return spoiled
    if what == 3:
        return np.array([_Trap()], dtype=object)
    if what == 4:
        with np.errstate(all="ignore"):
            return array.astype(random.choice(["<f4", ">f4", "<f8", "<f2", "<c8", "<i8", "|u1", "<U3", "?"]))
    if what == 5:
        return random.choice([array[None], array.ravel(), array.T, array.ravel()[1:], np.zeros(0, array.dtype)])
    if what == 6:
        return np.broadcast_to(array, (random.randint(0, 3), *array.shape))
    spoiled = np.empty((), object)
    spoiled[()] = hostile_value(0, random)
    return spoiled


def _hostile_npy(member: bytes, random: Random) -> bytes:
    """Return a member with another header, or with other bytes."""
    if random.random() < 0.3:
        return mutated_bytes(member, random)
    stream = io.BytesIO(member)
    np.lib.format.read_magic(stream)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    fields = {"descr": repr(dtype.str), "fortran_order": repr(is_fortran), "shape": repr(shape)}
    field = random.choice(["descr", "descr", "shape", "shape", "shape", "fortran_order"])
    fields[field] = random.choice({"descr": DTYPES, "shape": SHAPES, "fortran_order": ["1", "None", "'no'"]}[field])
    if random.random() < 0.1:
        fields[wild_text(random)[:50]] = "0"
    header = ("{" + ", ".join(f"'{name}': {text}" for name, text in fields.items()) + "}\n").encode()
    version, width = random.choice([((1, 0), 2), ((1, 0), 2), ((1, 0), 2), ((2, 0), 4), ((3, 0), 4), ((9, 9), 2)])
    length = len(header) if random.random() < 0.9 else random.choice(LIMITS) % (1 << 8 * width)
    return b"\x93NUMPY" + bytes(version) + length.to_bytes(width, "little") + header + member[stream.tell() :]


def _other_members(members: Mapping[str, bytes], random: Random) -> dict[str, bytes]:
    """Return the members with one of them removed, renamed, inserted or replaced."""
    name, other = random.choice(list(members)), random.choice(list(members))
    what = random.randrange(5)
    if what == 0:
        return {key: content for key, content in members.items() if key != name}
    if what == 1:
        return {wild_text(random).replace("\0", "") if key == name else key: part for key, part in members.items()}
    if what == 2:
        return {**members, random.choice(["W9", "b0", "..", "../x", "W1.npy", "meta.npy", "x/"]): members[name]}
    if what == 3:
        return {**members, **{f"x{number}": b"" for number in range(random.choice([1, 500]))}}
    return {**members, name: members[other]}


def _sealed(members: Mapping[str, bytes], random: Random, *, compress: bool, twice: str | None) -> bytes:
    """Return the members as a .zip file with a correct checksum at its end."""
    room = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    suffix = ".npy" if random.random() < 0.99 else ""
    with zipfile.ZipFile(room, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(f"{name}{suffix}"), content, how)  # without the time of day
        if twice is not None:  # the directory lists the same bytes more than once
            file.filelist.extend([file.getinfo(f"{twice}{suffix}")] * random.choice([1, 1000]))
        file.comment = npz.SEAL + bytes(npz.DIGITS)
    return b"".join(npz.sealed(room.getvalue()))


def _with_other_numbers(content: bytes, random: Random) -> bytes:
    """Return a .zip file with numbers near a limit in some of its headers."""
    spoiled = bytearray(content)
    for _ in range(random.randint(1, 3)):
        places = _all_places(spoiled, random.choice(SIGNATURES))
        if places:
            width = random.choice([2, 4])
            start = random.choice(places) + 4 + 2 * random.randrange(20)
            number = random.choice([*LIMITS, len(content), len(content) - 1]) % (1 << 8 * width)
            spoiled[start : start + width] = number.to_bytes(width, "little")
    return bytes(spoiled)


def _all_places(content: bytearray, wanted: bytes) -> list[int]:
    return [place for place in range(len(content)) if content.startswith(wanted, place)]


def _sealed_anew(content: bytes) -> bytes:
    return b"".join(npz.sealed(content)) if len(content) >= npz.DIGITS else content

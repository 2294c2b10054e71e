"""Plain technical English in docstrings, constants, comments, help texts and error messages.

A sentence has a subject and a verb, and one thing has one name: the word that PyTorch, scikit-learn, pip and git use.
"""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

CLEAN = (
    "mnist_bp/__init__.py",
    "mnist_bp/__main__.py",
    "mnist_bp/api.py",
    "mnist_bp/core",
    "mnist_bp/cli",
    "mnist_bp/cores.py",
    "mnist_bp/data",
    "mnist_bp/environment.py",
    "mnist_bp/errors.py",
    "mnist_bp/explanation",
    "mnist_bp/gradcheck",
    "mnist_bp/installed.py",
    "mnist_bp/instruction_sets.py",
    "mnist_bp/machine.py",
    "mnist_bp/network.py",
    "mnist_bp/page",
    "mnist_bp/reports",
    "mnist_bp/shell.py",
    "mnist_bp/storage",
    "mnist_bp/training",
    "scripts",
    "tests",
)
"""Files and folders that are checked."""

BEGINNING = re.compile(r"(Of|What|Whether|How|Where|That|The same)\b")
"""Beginnings of a text that is not a sentence."""

DESCRIPTION = re.compile(rf"^\S.*\n {{4}}{BEGINNING.pattern}", re.MULTILINE)
"""Name in a section of a docstring (Parameters, Attributes, …) whose description has such a beginning."""

HELP_ARGUMENT = {"setting": 1, "flag": 0, "help_text": 0}
"""Position of the help text among the arguments of a function."""

PHRASES = {
    r"ahead": "prefetch",
    r"as far as": "a number, or a condition",
    r"c[ao]me?s? to (?!a\b|the\b|an\b)": "is, results in",
    r"complaints?": "warning",
    r"conclude[sd]?": "print_result",
    r"distort(s|ed|ions?)?": "augmentation, transform",
    r"examine[sd]?": "inspect",
    r"go(es|ing|ne)? on\b": "resume, continue",
    r"held-out": "validation set",
    r"intakes?": "verified download",
    r"judge[sd]?": "evaluate, compare",
    r"mistakes?": "misclassified example; bug",
    r"one's own": "your own, the user's, custom",
    r"set aside": "quarantined as NAME.damaged",
    r"shares? of": "fraction, rate",
    r"so many": "a number",
    r"somebody('s)?|nobody('s)?": "the user, another process; no thread",
    r"such a one": "the noun",
    r"taken for": "predicted as, misclassified as",
    r"the disk (does not|will not) take": "cannot write PATH: No space left on device",
    r"the mark": "metadata",
    r"to be had|(can|could)(not| not)? be had": "is (not) available",
    r"voices?": "console",
}
"""Words that are not used, as patterns, and the words that are used instead."""

EXEMPT = re.compile(
    r"``[^`]*``"  # code
    r"|--[a-z][a-z-]*"  # options: --mistakes
    r"|^\w+(, \w+)*$",  # names of parameters and attributes
    re.MULTILINE,
)
"""Parts of a text that are names, not words."""

QUOTED = ()
"""Quotations of the lesson, which keep its words."""


def files(place: str) -> list[Path]:
    """Return the Python files at a place, a file or a folder; programs begin with ``#!``. This file is exempt."""
    path = ROOT / place
    if path.is_file():
        return [path]
    programs = [file for file in path.iterdir() if file.is_file() and file.read_bytes().startswith(b"#!")]
    return sorted({*path.rglob("*.py"), *programs} - {*path.rglob("node_modules/**/*.py"), Path(__file__)})


def is_text(node: object) -> bool:
    """Return True for a string constant."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def text_of(node: ast.expr) -> str:
    """Return the text of a string, with … for what an f-string inserts."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if is_text(node) else ""


class Texts(NamedTuple):
    """Texts of a program with the numbers of their lines.

    Attributes
    ----------
    sentences
        Docstrings of modules, classes and functions, strings below constants and attributes, and help texts.
    messages
        Messages of exceptions.
    """

    sentences: list[tuple[int, str]]
    messages: list[tuple[int, str]]


@cache
def texts(source: str) -> Texts:
    """Return the texts of a program."""
    found = Texts([], [])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr):
            if is_text(node.value):
                found.sentences.append((node.lineno, inspect.cleandoc(node.value.value)))
        elif isinstance(node, ast.keyword) and node.arg == "help":
            found.sentences.append((node.value.lineno, text_of(node.value)))
        elif isinstance(node, ast.Call):
            position = HELP_ARGUMENT.get(getattr(node.func, "id", ""))
            if position is not None and len(node.args) > position:
                found.sentences.append((node.lineno, inspect.cleandoc(text_of(node.args[position]))))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.messages.extend((node.lineno, text_of(argument)) for argument in node.exc.args)
    return found


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield each comment of a program that may have one with a phrase: to find comments takes long."""
    if not any("#" in line and ANY_PHRASE.search(checked_words(line.partition("#")[2])) for line in source.split("\n")):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def beginnings(source: str) -> list[tuple[int, str]]:
    """Return the lines and texts that are not sentences."""
    return [
        (line, text.splitlines()[0])
        for line, text in texts(source).sentences
        if BEGINNING.match(text) or DESCRIPTION.search(text)
    ]


def phrases(source: str) -> list[tuple[int, str, str]]:
    """Return the lines, the words that are not used, and the words to use instead."""
    found = []
    for line, text in (*texts(source).sentences, *texts(source).messages, *comments(source)):
        words = checked_words(text)
        if ANY_PHRASE.search(words):
            found += [
                (line, match[0], instead)
                for pattern, instead in PHRASES.items()
                for match in re.finditer(whole(pattern), words, re.IGNORECASE)
            ]
    return found


def checked_words(text: str) -> str:
    """Return the words of a text, without names and quotations."""
    for quotation in QUOTED:
        text = text.replace(quotation, "")
    return re.sub(r"\s+", " ", EXEMPT.sub("", text))


def whole(pattern: str) -> str:
    """Return a pattern of ``PHRASES`` that matches whole words only."""
    return rf"\b({pattern})\b" if pattern[-1] != " " else rf"\b{pattern}"


ANY_PHRASE = re.compile("|".join(map(whole, PHRASES)), re.IGNORECASE)


@pytest.mark.parametrize("place", CLEAN)
def test_docstrings_and_help_texts_begin_as_sentences(place):
    """No text begins with Of, What, Whether, How, Where, That or "The same"."""
    assert {str(file): found for file in files(place) if (found := beginnings(file.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize("place", CLEAN)
def test_texts_use_the_words_of_the_field(place):
    """Docstrings, help texts, messages of exceptions and comments avoid the words in ``PHRASES``."""
    assert {str(file): found for file in files(place) if (found := phrases(file.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""What it does."""',
        'def f():\n    """Whether it is."""',
        'class A:\n    x = 1\n    """Of the sum."""',
        'def f(x):\n    """Do it.\n\n    Parameters\n    ----------\n    x\n        How to do it.\n    """',
        'Option(help="Where to write.")',
        'setting(None, "The same again.", DATA)',
        'help_text("""That one.""")',
        'help_text(f"""How {x} works.""")',
    ],
)
def test_a_text_that_is_not_a_sentence_is_found(source):
    """Wherever a reader sees it: docstring, constant, parameter, help text."""
    assert len(beginnings(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""Train as far as possible."""',
        'raise InputError(f"MNIST is not to be had in {x}")',
        "x = 1  # it goes on",
        'Option(help="Show N mistakes.")',
        'def f():\n    """Return so\n    many lines."""',
    ],
)
def test_a_word_that_is_not_used_is_found(source):
    """Wherever a reader sees it: docstring, message, comment, help text."""
    assert len(phrases(source)) == 1


def test_names_keep_their_words():
    """Options and code are contracts."""
    assert phrases('"""Set --mistakes, or ``mistakes=3``, which are ``so many``."""') == []

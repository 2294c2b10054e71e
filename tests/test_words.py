"""Plain technical English in docstrings, constants, comments, help texts and error messages.

A sentence has a subject and a verb, and one thing has one name: the word that PyTorch, scikit-learn, pip and git use.
"""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

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


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of modules, classes and functions, and the strings below constants and attributes."""
    for node in ast.walk(tree):
        for statement in getattr(node, "body", None) or [] if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(statement, ast.Expr) and is_text(statement.value):
                yield statement.lineno, inspect.cleandoc(statement.value.value)


def help_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the help texts of options, arguments, commands and settings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "help":
            yield node.value.lineno, text_of(node.value)
        elif isinstance(node, ast.Call):
            position = {"setting": 1, "flag": 0, "help_text": 0}.get(getattr(node.func, "id", ""))
            if position is not None and len(node.args) > position:
                yield node.lineno, inspect.cleandoc(text_of(node.args[position]))


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the messages of exceptions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from ((node.lineno, text_of(argument)) for argument in node.exc.args)


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield each comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def beginnings(source: str) -> list[tuple[int, str]]:
    """Return the lines and texts that are not sentences."""
    tree = ast.parse(source)
    return [
        (line, text.splitlines()[0])
        for line, text in (*docstrings(tree), *help_texts(tree))
        if BEGINNING.match(text) or DESCRIPTION.search(text)
    ]


def phrases(source: str) -> list[tuple[int, str, str]]:
    """Return the lines, the words that are not used, and the words to use instead."""
    tree, found = ast.parse(source), []
    for line, text in (*docstrings(tree), *help_texts(tree), *messages(tree), *comments(source)):
        for quotation in QUOTED:
            text = text.replace(quotation, "")
        text = re.sub(r"\s+", " ", EXEMPT.sub("", text))
        found += [
            (line, match[0], instead)
            for pattern, instead in PHRASES.items()
            for match in re.finditer(
                rf"\b({pattern})\b" if pattern[-1] != " " else rf"\b{pattern}", text, re.IGNORECASE
            )
        ]
    return found


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

"""The bundler: modules in the order of their imports, and a refusal of everything that it does not know."""

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from mnist_bp.page.bundle import bundle

ONE = "export const a = 1;\nexport function f() {}\nexport class C {}\n"
TWO = 'import { a, f } from "./one.js";\n\nexport const b = a + f();\n'


def test_modules_stand_in_the_order_of_their_imports_each_once() -> None:
    """Exports become an object, imports become constants taken from it."""
    main = 'import { b } from "./two.js";\nimport {\n  a,\n  C,\n} from "./one.js";\n\nnew C(a, b);\n'

    script = bundle({"main": main, "two": TWO, "one": ONE, "unused": "export const z = 0;\n"}, "main")

    assert script.startswith('"use strict";\n{\n')
    assert [script.count(f"const module${name} =") for name in ("one", "two", "main", "unused")] == [1, 1, 1, 0]
    assert script.index("module$one =") < script.index("module$two =") < script.index("module$main =")
    assert "return { a, f, C };" in script
    assert "const { a, C } = module$one;" in script
    assert "import" not in script
    assert "export" not in script


def test_a_change_of_the_entry_runs_other_modules() -> None:
    """Only what the entry needs is in the script."""
    assert "module$two" not in bundle({"two": TWO, "one": ONE}, "one")


@pytest.mark.parametrize(
    "line",
    [
        'import a from "./one.js";',
        'import * as one from "./one.js";',
        'import { a as c } from "./one.js";',
        "import { a } from './one.js';",
        'import { a } from "one";',
        'import "./one.js";',
        'const one = await import("./one.js");',
        "const address = import.meta.url;",
        "const text = `one\n  two`;",
        "export default 1;",
        "export let a = 1;",
        "export function* g() {}",
        "export const { c } = {};",
        "export { a };",
        'export * from "./one.js";',
        'const end = "</script>";',
        'const comment = "<!--";',
        "const module$one = 1;",
    ],
)
def test_unknown_syntax_is_refused_with_the_name_of_the_module(line: str) -> None:
    """A guess would be an error in the browser, or a value that is not what the module meant."""
    with pytest.raises(ValueError, match=r"^main\.js"):
        bundle({"main": f'import {{ C }} from "./one.js";\n\n{line}\n', "one": ONE}, "main")


def test_an_import_of_something_that_does_not_exist_is_refused() -> None:
    """A module, or a name in a module."""
    with pytest.raises(ValueError, match=r"^main: there is no module none\.js$"):
        bundle({"main": 'import { a } from "./none.js";\n'}, "main")
    with pytest.raises(ValueError, match=r"^main\.js imports 'b', which one\.js does not export$"):
        bundle({"main": 'import { b } from "./one.js";\n', "one": ONE}, "main")


def test_modules_that_import_each_other_are_refused() -> None:
    """One of them would run before its imports exist."""
    with pytest.raises(ValueError, match=r"^modules import each other: main → other → main$"):
        bundle({"main": 'import { a } from "./other.js";\n', "other": 'import { b } from "./main.js";\n'}, "main")


def test_comments_with_lines_to_themselves_are_left_out() -> None:
    """Other text that looks like a comment stays."""
    source = "/* A module,\n * in two lines. */\n\nconst a = 1; // one\n  // two\nconst b = '/* c */'; /* d */\n"

    script = bundle({"main": source}, "main")

    assert "A module" not in script
    assert "two" not in script
    assert "const a = 1; // one\nconst b = '/* c */'; /* d */\n" in script


def test_indentation_and_empty_lines_are_left_out() -> None:
    """A text keeps its spaces."""
    script = bundle({"main": "function f() {\n  if (a) {\n\n    b(`  c  ${d}`);\n  }\n}\n"}, "main")

    assert "function f() {\nif (a) {\nb(`  c  ${d}`);\n}\n}\n" in script


def test_every_file_of_the_page_is_in_its_script() -> None:
    """A file that no module imports would never be tested."""
    files = resources.files("mnist_bp.page") / "js"
    modules = {file.name.removesuffix(".js"): file.read_text(encoding="utf-8") for file in files.iterdir()}
    modules["functions"] = "export const ACTIVATIONS = {};\nexport const COSTS = {};\n"

    script = bundle(modules, "main") + bundle(modules, "worker")

    assert [name for name in modules if f"const module${name} =" not in script] == []


def test_the_versions_of_the_linters_are_exact() -> None:
    """Two machines lint alike, without a lock file that would name a registry."""
    tools = Path(__file__).parents[2] / "scripts/page"
    versions = json.loads((tools / "package.json").read_text(encoding="utf-8"))["devDependencies"]

    assert {name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)} == set()
    assert {"eslint", "prettier"} <= set(versions)
    assert not (tools / "package-lock.json").exists()


def test_the_calculus_of_the_page_mirrors_that_of_the_package() -> None:
    """Equations (1), (2), (4), (5) and (6) read the same, and the code refers to each. (3) depends on the cost."""
    package = resources.files("mnist_bp")
    python = (package / "core" / "network.py").read_text(encoding="utf-8")
    javascript = (package / "page" / "js" / "network.js").read_text(encoding="utf-8")

    equations = {number: re.search(rf"\({number}\)  .*", python)[0] for number in (1, 2, 4, 5, 6)}

    assert {number for number, equation in equations.items() if equation not in javascript} == set()
    assert {number for number in equations if not re.search(rf";.* // \({number}\)", javascript)} == set()
    assert {"forward", "backward"} <= set(re.findall(r"^export function (\w+)", javascript, re.MULTILINE))

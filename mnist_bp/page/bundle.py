"""Bundler of ES modules into one script, because browsers do not import modules from ``file://``.

Each module becomes a function scope that returns its exports. The modules are placed in the order of their imports, in
one block, so that nothing becomes global. Only the module syntax that the page uses is supported; other syntax is an
error.
"""

import re
from collections.abc import Mapping

__all__ = ["bundle"]

IMPORT = re.compile(r'^import \{([^{}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function|class) ([^\W\d]\w*))", re.MULTILINE)
COMMENT = re.compile(r"^ *(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
"""Comment with lines to itself. The page leaves it out, which makes its script a tenth smaller."""

SPACE = re.compile(r"^\s+", re.MULTILINE)
"""Indentation and empty lines, which the page does without. A text on more than one line, in backticks, is refused."""

UNKNOWN = re.compile(
    r"^\s*(?:import|export)\b.*|^[^`\n]*`(?:[^`\n]*`[^`\n]*`)*[^`\n]*$|\bimport\s*[.(].*|</script.*|<!--.*",
    re.MULTILINE | re.IGNORECASE,
)
"""Unsupported module syntax, which remains after the known forms are removed, and text that would end the script in
HTML."""


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """Return one script that runs ``entry`` and all modules that it imports.

    Parameters
    ----------
    modules
        Source text by name; ``import { a } from "./name.js";`` imports from the module ``name``.
    entry
        Name of the module that runs last.

    Raises
    ------
    ValueError
        If a module uses unsupported syntax, imports something that does not exist, or is part of a cycle of imports.
    """
    imports = {name: [found[2] for found in IMPORT.finditer(source)] for name, source in modules.items()}
    order = _in_order(imports, entry, ())
    exports = {name: EXPORT.findall(modules[name]) for name in order}
    scopes = [_scope(name, modules[name], exports) for name in order]
    return "\n".join(['"use strict";', "{", *scopes, "}", ""])


def _in_order(imports: Mapping[str, list[str]], name: str, importers: tuple[str, ...]) -> list[str]:
    """Return ``name`` and the modules that it imports, each once, imported modules first."""
    if name not in imports:
        raise ValueError(f"{importers[-1] if importers else 'the entry'}: there is no module {name}.js")
    if name in importers:
        raise ValueError(f"modules import each other: {' → '.join((*importers, name))}")
    order = [one for other in imports[name] for one in _in_order(imports, other, (*importers, name))]
    return list(dict.fromkeys([*order, name]))


def _scope(name: str, source: str, exports: Mapping[str, list[str]]) -> str:
    """Return the module as a constant, an object with its exports."""

    def imported(found: re.Match[str]) -> str:
        names = [one.strip() for one in found[1].split(",") if one.strip()]
        for missing in set(names) - set(exports[found[2]]):
            raise ValueError(f"{name}.js imports {missing!r}, which {found[2]}.js does not export")
        return f"const {{ {', '.join(names)} }} = {_variable(found[2])};"

    body = COMMENT.sub("", EXPORT.sub("", IMPORT.sub(imported, source)))
    if unknown := UNKNOWN.search(body):
        raise ValueError(f"{name}.js: the bundler does not support {unknown[0].strip()!r}")
    for other in exports:
        if _variable(other) in source:
            raise ValueError(f"{name}.js uses the name {_variable(other)}, which is reserved for the bundler")
    body = SPACE.sub("", body)
    return f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports[name])} }};\n}})();"


def _variable(module: str) -> str:
    """Return the name of the constant with a module's exports."""
    return f"module${module}"

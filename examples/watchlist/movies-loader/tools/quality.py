"""A small lint with the standard library only: `python tools/quality.py`."""

import ast
import sys
import warnings
from pathlib import Path

LONGEST = 100


def complaints(path):
    """What is wrong with one file, as `file:line: what`."""
    text = path.read_text(encoding="utf-8")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(text, path.name)
    except SyntaxError as error:
        yield f"{path}:{error.lineno}: {error.msg}"
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LONGEST:
            yield f"{path}:{number}: longer than {LONGEST} characters"
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end"
    yield from unused_imports(path, tree)
    yield from missing_docstrings(path, tree)


def unused_imports(path, tree):
    """Names that are imported and never read."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = (alias.asname or alias.name).partition(".")[0]
                if name not in names:
                    yield f"{path}:{node.lineno}: {name} is imported and not used"


def missing_docstrings(path, tree):
    """Modules, classes and public functions that do not say what they are for."""
    if not ast.get_docstring(tree):
        yield f"{path}:1: the module has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and needs_docstring(node):
            yield f"{path}:{node.lineno}: {node.name} has no docstring"


def needs_docstring(node):
    """Whether a class or function is public and says nothing."""
    public = not node.name.startswith("_") and node.name != "setUp"
    return public and not ast.get_docstring(node)


def main():
    """Look at every Python file of the function; 1 if anything is wrong."""
    folder = Path(__file__).resolve().parents[1]
    found = [line for path in sorted(folder.rglob("*.py")) for line in complaints(path)]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""
What another database would have to be told otherwise, and where: the rest of the engine knows none in
particular.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import mailstore

TOP = Path(mailstore.__file__).parent

#: What is SQLite's own as a whole: the file, its connections and its errors; the schema; copies of the file;
#: the search index; the check of a file.
_OF_SQLITE = (
    "engine/backup.py",
    "engine/checking",
    "engine/database.py",
    "engine/errors.py",
    "engine/lookups.py",
    "engine/migrations",
    "engine/readonly.py",
    "engine/schema.py",
    "engine/textindex.py",
)

#: The only modules that know the library.
_KNOW_THE_LIBRARY = (
    "engine/backup.py",
    "engine/checking/checker.py",
    "engine/checking/filechecks.py",
    "engine/checking/searchindex.py",
    "engine/database.py",
    "engine/errors.py",
    "engine/lookups.py",
    "engine/migrations",
    "engine/schema.py",
)

#: The one module of the engine's logic that says something in SQLite's way.
_DIALECT = "engine/dialect.py"

_STATEMENT = re.compile(
    r"\s*\(?(SELECT\b.*\bFROM\b|INSERT\s+(OR\s+\w+\s+)?INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|PRAGMA\s|CREATE\s"
    r"(\w+\s)?(TABLE|INDEX)\b|ALTER\s+TABLE\b|DROP\s+(TABLE|INDEX)\b|SAVEPOINT\s|RELEASE\s|ROLLBACK\b)",
    re.DOTALL,
)

#: Words that SQLite understands and other databases do not, or otherwise.
_OWN_WORDS = re.compile(
    r"\bINDEXED\s+BY\b|\bINSERT\s+OR\b|\bREPLACE\s+INTO\b|\bPRAGMA\b|\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b|\browid\b"
    r"|\bsqlite_|\bgroup_concat\b|\btypeof\b|\bprintf\b|\bfts5\b|\bMATCH\b|\bGLOB\b|\bCROSS\s+JOIN\b|\?[0-9]|\bx'"
    r"|\bAS\s+BLOB\b|\btotal_changes\b|\blast_insert_rowid\b|\bifnull\b|\biif\(|\bjulianday\b|\bstrftime\b"
)


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(TOP.rglob("*.py")):
        yield path.relative_to(TOP).as_posix(), ast.parse(path.read_text())


def _isIn(module: str, parts: tuple[str, ...]) -> bool:
    return any(module == each or module.startswith(f"{each}/") for each in parts)


def _texts(tree: ast.Module) -> Iterator[str]:
    """
    The texts in a module that are no docstrings; what is put into one when it is made is a question mark.
    """
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inner = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    } - {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    for node in ast.walk(tree):
        if id(node) in documents or id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)


class SeamTests(SynchronousTestCase):
    """
    Every module of the package.
    """

    def test_library(self) -> None:
        """
        The database's library is known to a few modules, which are all the engine's.
        """
        found = {
            module
            for module, tree in _modules()
            for node in ast.walk(tree)
            if (isinstance(node, ast.Import) and any(each.name == "sqlite3" for each in node.names))
            or (isinstance(node, ast.ImportFrom) and node.module == "sqlite3")
        }
        self.assertEqual([each for each in sorted(found) if not _isIn(each, _KNOW_THE_LIBRARY)], [])
        unused = [each for each in _KNOW_THE_LIBRARY if not any(_isIn(module, (each,)) for module in found)]
        self.assertEqual(unused, [])

    def test_statements(self) -> None:
        """
        Statements are only made in the engine.
        """
        found = {module for module, tree in _modules() for text in _texts(tree) if _STATEMENT.match(text)}
        self.assertGreater(len(found), 30)
        self.assertEqual([each for each in sorted(found) if not each.startswith("engine/")], [])

    def test_dialect(self) -> None:
        """
        What only SQLite understands is said by what is SQLite's own, and by one module of the engine's logic.
        """
        found = {
            (module, text)
            for module, tree in _modules()
            if not _isIn(module, (*_OF_SQLITE, _DIALECT))
            for text in _texts(tree)
            if module.startswith("engine/") and _OWN_WORDS.search(text)
        }
        self.assertEqual(found, set())

    def test_numbersOfRows(self) -> None:
        """
        The id of a new row is asked for by the statement that makes it.
        """
        found = {
            module
            for module, tree in _modules()
            if module.startswith("engine/") and not _isIn(module, _OF_SQLITE)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "lastrowid"
        }
        self.assertEqual(found, set())

    def test_theTestItself(self) -> None:
        """
        It finds statements and SQLite's words where they are, and none in what is told about them.
        """
        tree = ast.parse(
            '"""SELECT a FROM b INDEXED BY c"""\n'
            "def f(x):\n"
            '    """INSERT OR REPLACE INTO b"""\n'
            '    return f"SELECT {x} FROM messages INDEXED BY i", "UPDATE a SET b = ?1", "select one"\n'
        )
        texts = list(_texts(tree))
        self.assertEqual(len([each for each in texts if _STATEMENT.match(each)]), 2)
        self.assertEqual(len([each for each in texts if _OWN_WORDS.search(each)]), 2)

"""
The house's layers: what each part may import, checked over every module.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import mailstore
import transports

TOP = Path(mailstore.__file__).parent.parent

#: What all parts may use beside the standard library: nothing.
STDLIB = sys.stdlib_module_names

#: Per part (a module, or a package with all in it) what it may import beside
#: the standard library and itself.  The longest name that fits a module counts.
LAYERS: dict[str, tuple[str, ...]] = {
    "transports": ("attrs", "twisted", "zope"),
    "transports.testing": ("attrs", "hypothesis", "transports", "twisted", "zope"),
    "mailstore": (),
    "mailstore.__main__": ("mailstore.admin",),
    "mailstore.errors": (),
    "mailstore.bounds": ("attrs",),
    "mailstore.lru": (),
    "mailstore.model": ("attrs", "mailstore.errors"),
    "mailstore.interfaces": ("mailstore.errors", "mailstore.model", "zope"),
    "mailstore.message": ("attrs", "mailstore.errors", "mailstore.model"),
    "mailstore.engine": (
        "attrs",
        "mailstore.errors",
        "mailstore.interfaces",
        "mailstore.lru",
        "mailstore.message",
        "mailstore.model",
        "msgspec",
        "zope",
    ),
    "mailstore.ipc": (
        "attrs",
        "mailstore.bounds",
        "mailstore.errors",
        "mailstore.interfaces",
        "mailstore.model",
        "msgspec",
        "transports.errors",
        "transports.interfaces",
        "transports.limits",
        "transports.statistics",
        "twisted",
        "zope",
    ),
    "mailstore.imap": (
        "attrs",
        "mailstore.bounds",
        "mailstore.errors",
        "mailstore.imap.wire",
        "mailstore.interfaces",
        "mailstore.lru",
        "mailstore.model",
        "mailstore.timings",
        "twisted.logger",
        "zope",
    ),
    "mailstore.imap.wire": ("attrs",),
    "mailstore.imap.renditions": ("mailstore.imap.wire", "mailstore.message"),
    # The only module of the front end that knows a reactor.
    "mailstore.imap.protocol": (
        "mailstore.channelbindings",
        "mailstore.connections",
        "mailstore.errors",
        "mailstore.imap",
        "mailstore.interfaces",
        "mailstore.model",
        "mailstore.starttls",
        "twisted.internet",
        "twisted.logger",
        "twisted.python.failure",
        "zope",
    ),
    # What the protocols of all front ends have in common.
    "mailstore.channelbindings": ("OpenSSL", "cryptography"),
    "mailstore.connections": ("twisted", "zope"),
    "mailstore.starttls": ("twisted",),
    "mailstore.timings": (),
    "mailstore.metrics": (
        "attrs",
        "mailstore.config",
        "mailstore.imap.frontend",
        "mailstore.ipc.statistics",
        "mailstore.lmtp.courier",
        "mailstore.timings",
        "prometheus_client",
        "twisted",
    ),
    "mailstore.lmtp": (
        "attrs",
        "mailstore.bounds",
        "mailstore.errors",
        "mailstore.interfaces",
        "mailstore.model",
        "mailstore.timings",
        "twisted.logger",
    ),
    # The only module of delivery that knows a reactor.
    "mailstore.lmtp.protocol": (
        "mailstore.connections",
        "mailstore.interfaces",
        "mailstore.lmtp",
        "twisted.internet",
        "twisted.python.failure",
        "zope",
    ),
    "mailstore.auth": (
        "attrs",
        "mailstore.auth.keys",
        "mailstore.errors",
        "mailstore.interfaces",
        "mailstore.model",
        "twisted",
        "zope",
    ),
    # What the command line needs of it works without Twisted.
    "mailstore.auth.keys": ("mailstore.auth.saslprep", "mailstore.model"),
    "mailstore.auth.saslprep": (),
    "mailstore.config": (
        "attrs",
        "mailstore.engine.limits",
        "mailstore.errors",
        "mailstore.imap.limits",
        "mailstore.ipc.limits",
        "mailstore.lmtp.limits",
        "mailstore.model",
    ),
    "mailstore.stores": (
        "mailstore.engine",
        "mailstore.errors",
        "mailstore.imap.renditions",
        "mailstore.interfaces",
    ),
    "mailstore.demo": ("mailstore.auth.keys", "mailstore.interfaces", "mailstore.model"),
    "mailstore.endpoints": ("OpenSSL", "mailstore.config", "mailstore.starttls", "twisted", "zope"),
    "mailstore.selfsigned": ("OpenSSL", "cryptography", "twisted"),
    "mailstore.supervisor": ("mailstore", "twisted", "zope"),
    "mailstore.ownstore": (
        "mailstore.supervisor",
        "transports.errors",
        "transports.interfaces",
        "twisted",
        "zope",
    ),
    "mailstore.admin": (
        "attrs",
        "mailstore.admin.configcheck",
        "mailstore.auth.keys",
        "mailstore.auth.saslprep",
        "mailstore.config",
        "mailstore.errors",
        # Names of Maildir folders are written as IMAP writes them.
        "mailstore.imap.wire",
        "mailstore.interfaces",
        "mailstore.model",
        "mailstore.stores",
        "tqdm",
    ),
    # Checks a config by making the server's services of it, without starting them.
    "mailstore.admin.configcheck": ("mailstore.config", "mailstore.topology"),
    # Everything meets here.
    "mailstore.topology": ("attrs", "mailstore", "transports", "twisted", "zope"),
    "mailstore.tap": ("attrs", "mailstore", "transports", "twisted", "zope"),
    "mailstore.testing": ("attrs", "mailstore", "transports", "twisted", "zope"),
    "mailstore.pytestplugin": ("mailstore.testing.server", "pytest"),
}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """
    Every module of the two packages: its name and its syntax tree.
    """
    found = []
    for package in (mailstore, transports):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            parts = path.relative_to(TOP).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append((name, ast.parse(path.read_bytes(), str(path))))
    return tuple(found)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """
    The names that a tree imports, with their lines; C{from a import b} gives C{a.b}.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names)


def atModuleLevel(tree: ast.Module) -> Iterator[ast.AST]:
    """
    Everything that runs when a module is imported: not the bodies of functions.
    """
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            todo += ast.iter_child_nodes(node)


def layerOf(module: str) -> str:
    """
    The entry of the table that a module belongs to.
    """
    while module not in LAYERS:
        module = module.rpartition(".")[0]
    return module


def within(name: str, part: str) -> bool:
    """
    Whether a name is a part or something in it.
    """
    return name == part or name.startswith(part + ".")


def allowed(module: str, name: str) -> bool:
    """
    Whether a module may import a name.
    """
    if name.split(".")[0] in STDLIB:
        return True
    layer = layerOf(module)
    # A package's plain name ("mailstore") stands for all in it only where everything meets.
    own = layer not in ("mailstore",) and within(name, layer) and layerOf(name) == layer
    return own or any(within(name, each) for each in LAYERS[layer])


class LayersTests(SynchronousTestCase):
    """
    The table, and the rules that are not in it.
    """

    def test_imports(self) -> None:
        """
        No module imports what its layer may not.
        """
        wrong = [
            f"{module}:{line} imports {name}"
            for module, tree in modules()
            for line, name in imports(tree)
            if not allowed(module, name)
        ]
        self.assertEqual(wrong, [])

    def test_everyPartIsThere(self) -> None:
        """
        The table names no part that does not exist.
        """
        names = {name for name, _ in modules()}
        self.assertEqual([each for each in LAYERS if each not in names], [])

    def test_oneReactorModuleInImap(self) -> None:
        """
        In the IMAP front end only C{protocol.py} knows a reactor.
        """
        knowing = {
            module
            for module, tree in modules()
            for _, name in imports(tree)
            if within(module, "mailstore.imap") and within(name, "twisted.internet")
        }
        self.assertEqual(knowing, {"mailstore.imap.protocol"})

    def test_noReactorAtModuleLevel(self) -> None:
        """
        Importing a module never chooses a reactor.
        """
        wrong = [
            module
            for module, tree in modules()
            for node in atModuleLevel(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for _, name in imports(node)
            if within(name, "twisted.internet.reactor")
        ]
        self.assertEqual(wrong, [])

    def test_noPickle(self) -> None:
        """
        Nothing that executes what it reads crosses a boundary.
        """
        wrong = [
            f"{module} imports {name}"
            for module, tree in modules()
            for _, name in imports(tree)
            if name.split(".")[0] in ("pickle", "marshal", "shelve")
        ]
        self.assertEqual(wrong, [])

    def test_plugins(self) -> None:
        """
        The directory of plugins is no package: other projects' plugins live beside ours.
        """
        self.assertFalse((TOP / "twisted" / "plugins" / "__init__.py").exists())
        self.assertFalse((TOP / "twisted" / "__init__.py").exists())


class TheCheckItselfTests(SynchronousTestCase):
    """
    The check finds what it is for.
    """

    def test_allowed(self) -> None:
        """
        Examples of both kinds.
        """
        for module, name in (
            ("mailstore.engine.store", "mailstore.engine.folders.Folders"),
            ("mailstore.engine.store", "sqlite3"),
            ("mailstore.imap.commands.fetch", "mailstore.imap.wire.reader.Reader"),
            ("mailstore.imap.protocol", "twisted.internet.defer.Deferred"),
            ("mailstore.tap", "mailstore.engine.open"),
        ):
            self.assertTrue(allowed(module, name), (module, name))
        for module, name in (
            ("mailstore.engine.store", "twisted.internet.defer.Deferred"),
            ("mailstore.engine.store", "mailstore.imap.renditions.RENDITIONS"),
            ("mailstore.imap.commands.fetch", "mailstore.engine.open"),
            ("mailstore.imap.commands.fetch", "mailstore.message.structure.parse"),
            ("mailstore.imap.session", "twisted.internet.defer.Deferred"),
            ("mailstore.imap.wire.reader", "mailstore.model.UidSet"),
            ("mailstore.ipc.client", "mailstore.engine.commit.ICommitter"),
            ("mailstore.errors", "mailstore.model.UidSet"),
            ("transports.memory", "mailstore.errors.StoreError"),
            ("transports.memory", "msgspec"),
        ):
            self.assertFalse(allowed(module, name), (module, name))

    def test_atModuleLevel(self) -> None:
        """
        Imports in classes and conditions are found, those in functions are not.
        """
        tree = ast.parse("if x:\n import a\nclass C:\n import b\n def f(self):\n  import c\n")
        found = {
            name for node in atModuleLevel(tree) if isinstance(node, ast.Import) for _, name in imports(node)
        }
        self.assertEqual(found, {"a", "b"})

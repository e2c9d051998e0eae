"""A parsed file with what rewriting needs to know of it: who contains whom, which names are whose.

Changes nothing itself; `edits` gathers what others want changed.
"""

import ast
from collections.abc import Iterator

from appliance.deeplens.porting.edits import Edits
from appliance.deeplens.porting.source_text import line_end


class Sources:
    """One file: its text, tree, changes, and the names it gave to modules and their parts."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.text = text
        self.tree = tree
        self.edits = Edits(text)
        self.parents: dict[ast.AST, ast.AST] = {}
        self.bound: set[str] = set()
        """Names the file itself assigns, defines or imports, anywhere."""
        self._known: dict[str, str] = {}
        self.future: set[str] = set()
        self.nodes: list[ast.AST] = []
        """Every node, containers before what they contain."""
        self._look()

    def of(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Nodes of some kinds, containers first."""
        return (node for node in self.nodes if isinstance(node, kinds))

    def dotted(self, node: ast.AST) -> str:
        """What a name or an attribute stands for, as `numpy.int0`; empty if nobody knows."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id, "")
        if isinstance(node, ast.Attribute):
            inner = self.dotted(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        return ""

    def is_builtin(self, node: ast.AST, name: str) -> bool:
        """Whether a node is a built-in's name that the file does not use for something of its own."""
        return isinstance(node, ast.Name) and node.id == name and name not in self.bound

    def operator(self, start: int, first: str) -> int:
        """Where the operator stands behind an operand that ends at `start`; `first` is its first character.

        In between stand only brackets, space and comments.
        """
        while self.text[start] != first:
            start = line_end(self.text, start) if self.text[start] == "#" else start + 1
        return start

    def _look(self) -> None:
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            following: list[ast.AST] = []
            for node in waiting:
                self.nodes.append(node)
                for child in ast.iter_child_nodes(node):
                    self.parents[child] = node
                    following.append(child)
                self._note(node)
            waiting = following

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._imported(node)
            case ast.Name(ctx=ast.Store() | ast.Del()):
                self.bound.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.bound.add(node.name)
            case ast.arg():
                self.bound.add(node.arg)
            case ast.ExceptHandler(name=str() as name):
                self.bound.add(name)
            case _:
                pass

    def _imported(self, node: ast.Import | ast.ImportFrom) -> None:
        for each in node.names:
            first = each.name.split(".", 1)[0]
            name = each.asname or (first if isinstance(node, ast.Import) else each.name)
            self.bound.add(name)
            if isinstance(node, ast.Import):
                self._known[name] = each.name if each.asname else first
            elif node.level == 0:
                self._known[name] = f"{node.module}.{each.name}"
                if node.module == "__future__":
                    self.future.add(each.name)

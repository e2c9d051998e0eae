"""Fixers that do without adding or removing lines what fissix's own do with it.

`except E, (a, b):`, parameters in parentheses, `__metaclass__`, and, leaf by leaf, names that became keywords
and texts whose backslashes mean something else now.
"""

import re
from typing import Any

from fissix import fixer_base
from fissix.fixer_util import Name, syms
from fissix.fixes.fix_tuple_params import FixTupleParams, find_params, map_to_index, tuple_name
from fissix.pgen2 import token
from fissix.pytree import Leaf, Node

from appliance.deeplens.porting.string_escapes import mended

_OLD_OCTAL = re.compile(r"0[0-7]*[1-7][0-7]*$")
_KEYWORDS = frozenset({"async", "await", "nonlocal"})
_NAMES = {token.NAME, getattr(token, "ASYNC", -1), getattr(token, "AWAIT", -1)}


def prepend(suite: Any, statement: str) -> bool:
    """Put a simple statement before the first one of a block, on its line.

    Returns:
        Whether that could be done without a line of its own.
    """
    first = _first_simple(suite)
    if first is None:
        _insert_line(suite, statement)
        return False
    leaf = next(first.leaves())
    added = Leaf(token.NAME, f"{statement};")
    added.prefix = leaf.prefix
    leaf.prefix = " "
    first.insert_child(0, added)
    return True


def _first_simple(suite: Any) -> Any:
    """The first simple statement of a block; of a `try` the first one in it."""
    if suite.type == syms.simple_stmt:
        return suite
    for child in suite.children:
        if child.type == syms.simple_stmt:
            if _is_docstring(child) and suite.parent.type == syms.funcdef:
                continue
            return child
        if child.type == syms.try_stmt:
            return _first_simple(child.children[2])
        if isinstance(child, Node):
            return None
    return None


def _is_docstring(statement: Any) -> bool:
    return bool(statement.children and statement.children[0].type == token.STRING)


def _insert_line(suite: Any, statement: str) -> None:
    """Give the statement a line of its own, as the first of the block."""
    for index, child in enumerate(suite.children):
        if child.type == token.INDENT:
            added = Node(syms.simple_stmt, [Leaf(token.NAME, statement), Leaf(token.NEWLINE, "\n")])
            suite.insert_child(index + 1, added)
            following = suite.children[index + 2]
            following.prefix = child.value + following.prefix.lstrip(" ")
            return


class FixExcept(fixer_base.BaseFix):  # type: ignore[misc]
    """`except E, e:` → `except E as e:`; another target than a name is assigned first thing in the block."""

    BM_compatible = True
    PATTERN = "except_clause< 'except' any comma=',' target=any >"
    measure = "except"

    def transform(self, node: Any, results: dict[str, Any]) -> None:
        """Rewrite one clause."""
        target = results["target"]
        results["comma"].replace(Name("as", prefix=" "))
        if target.type == token.NAME:
            target.prefix = target.prefix or " "
            return
        name = self.new_name("python2_error")
        written = str(target).strip()
        value = f"{name}.args" if target.type in {syms.atom, syms.testlist_gexp} else name
        target.replace(Name(name, prefix=" "))
        suite = node.next_sibling.next_sibling
        if not prepend(suite, f"{written} = {value}"):
            self.log_message(_moved(node))


class FixTuple(FixTupleParams):  # type: ignore[misc]
    """`def f(a, (b, c)):` → `def f(a, x): b, c = x; …`; `lambda a, (b, c): b` → `lambda a, b_c: b_c[0]`."""

    PATTERN = """
        funcdef< 'def' any parameters< '(' args=any ')' > ['->' any] ':' suite=any+ >
        | lambda=lambdef< 'lambda' args=vfpdef< any* > ':' body=any >
        | lambda=lambdef< 'lambda' args=varargslist< any* > ':' body=any >
        """
    measure = "tuple_params"

    def transform(self, node: Any, results: dict[str, Any]) -> None:
        """Rewrite one function."""
        if "lambda" in results:
            given = results["args"]
            self._name_tuples(given.children if given.type == syms.varargslist else [given], results["body"])
            return
        args = results["args"]
        candidates = args.children if args.type == syms.typedargslist else [args]
        statements = []
        for each in list(candidates):
            if each.type == syms.tfpdef:
                name = self.new_name("python2_parameter")
                statements.append(f"{str(each).strip()} = {name}")
                each.replace(Name(name, prefix=each.prefix))
        if statements and not prepend(results["suite"][0], "; ".join(statements)):
            self.log_message(_moved(node))

    def _name_tuples(self, parameters: list[Any], body: Any) -> None:
        """Give a lambda's tuples a name each, and its body their items."""
        items: dict[str, tuple[str, list[Any]]] = {}
        for each in [one for one in parameters if one.type == syms.vfpdef]:
            inside = find_params(each)
            name = inside if isinstance(inside, str) else self.new_name(tuple_name(inside))
            if not isinstance(inside, str):
                items |= {item: (name, numbers) for item, numbers in map_to_index(inside).items()}
            each.replace(Name(name, prefix=each.prefix))
        for leaf in [each for each in body.post_order() if each.type == token.NAME and each.value in items]:
            if not _is_label(leaf):
                name, numbers = items[leaf.value]
                leaf.replace(
                    Node(syms.power, [Name(name), *(each.clone() for each in numbers)], prefix=leaf.prefix)
                )


def _is_label(name: Any) -> bool:
    """Whether a name is an attribute's or an argument's, and no variable's."""
    before, behind = name.prev_sibling, name.next_sibling
    if before is not None and before.type == token.DOT:
        return True
    return bool(name.parent.type == syms.argument and behind is not None and behind.type == token.EQUAL)


class FixMetaclass(fixer_base.BaseFix):  # type: ignore[misc]
    """`__metaclass__ = M` in a class: M goes into the class's first line as well; the assignment stays."""

    BM_compatible = True
    PATTERN = "classdef<any*>"
    measure = "metaclass"

    def transform(self, node: Any, results: dict[str, Any]) -> None:
        """Rewrite one class."""
        del results
        written = self._metaclass(node.children[-1])
        if written is None or "metaclass=" in str(node).split(":", 1)[0]:
            return
        opening = next((each for each in node.children if each.type == token.LPAR), None)
        if opening is None:
            node.children[1].replace(Name(f"{node.children[1].value}(metaclass={written})", prefix=" "))
            return
        closing = next(each for each in node.children if each.type == token.RPAR)
        separator = "" if closing.prev_sibling is opening else ", "
        closing.replace(Leaf(token.RPAR, f"{separator}metaclass={written})"))

    def _metaclass(self, suite: Any) -> str | None:
        for statement in suite.children if suite.type == syms.suite else [suite]:
            if statement.type == syms.simple_stmt and statement.children[0].type == syms.expr_stmt:
                target, equals, *value = statement.children[0].children
                if str(target).strip() == "__metaclass__" and equals.type == token.EQUAL and len(value) == 1:
                    return str(value[0]).strip()
        return None


def fill(node: Any, lines: int) -> None:
    """Give a rewritten node the line ends back that it lost, before its last word."""
    missing = lines - str(node).count("\n")
    if missing <= 0 or (node.parent is None and not node.children):
        return
    *_, last = node.leaves()
    closes = last.type in {token.RPAR, token.RSQB, token.RBRACE}
    last.prefix = ("\n" if closes else " \\\n") * missing + last.prefix


FIXERS = (FixExcept, FixTuple, FixMetaclass)


def rename_keywords(tree: Any) -> None:
    """Give names that are keywords now (`async=True`) an underscore, wherever they stand."""
    for leaf in list(tree.leaves()):
        if leaf.type in _NAMES and leaf.value in _KEYWORDS:
            leaf.value += "_"
            leaf.changed()


def mend_literals(tree: Any, *, unicode_literals: bool) -> None:
    """Write texts, and octal numbers that were long (`0755L`), so that Python 3 reads what Python 2 read."""
    for leaf in tree.leaves():
        if leaf.type == token.NUMBER and _OLD_OCTAL.match(leaf.value):
            leaf.value = f"0o{leaf.value[1:]}"
            leaf.changed()
        if leaf.type == token.STRING:
            written = mended(leaf.value, python2=True, unicode_literals=unicode_literals)
            if written != leaf.value:
                leaf.value = written
                leaf.changed()


def _moved(node: Any) -> str:
    return (
        f"line {node.get_lineno()}: needed a line more; tracebacks below it name the line after the author's"
    )

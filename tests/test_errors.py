"""The errors of all packages are one tree, and its two drawings are right."""

import inspect
import re

import pytest

import song2vec.errors
import song2vec_client.errors
from song2vec_client.errors import PermanentError, Song2VecError, TransientError

HALVES = (song2vec_client.errors, song2vec.errors)
BRANCHES = (PermanentError, TransientError)


def _defined(module):
    return [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]


ERRORS = [kind for module in HALVES for kind in _defined(module)]
LEAVES = [kind for kind in ERRORS if kind not in (Song2VecError, *BRANCHES)]


def _drawn(module):
    """What the drawing in a module's docstring says of each error: its name, the one above it, and a builtin."""
    above = ["Song2VecError"]
    for line in module.__doc__.splitlines():
        match = re.match(r"    ([│ ]*)[├└]── (\w+) +(?:\((\w+)\))?", line)
        if match:
            depth = len(match[1]) // 4
            above[depth + 1 :] = [match[2]]
            yield match[2], above[depth], match[3]


def _bases(kind):
    above, *builtins = kind.__bases__
    return kind.__name__, above.__name__, builtins[0].__name__ if builtins else None


@pytest.mark.parametrize("kind", LEAVES)
def test_an_error_is_permanent_or_transient(kind):
    assert [issubclass(kind, branch) for branch in BRANCHES].count(True) == 1


def test_no_name_stands_twice():
    names = [kind.__name__ for kind in ERRORS]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("module", HALVES, ids=lambda module: module.__name__)
def test_every_error_of_a_module_is_drawn_where_it_stands(module):
    branches = [_bases(branch) for branch in BRANCHES]
    own = [kind for kind in _defined(module) if kind in LEAVES]

    assert sorted(_drawn(module), key=str) == sorted([*branches, *map(_bases, own)], key=str)

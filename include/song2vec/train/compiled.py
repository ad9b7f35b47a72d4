"""What is written in C: ``compiled.c``, built into ``_compiled.*.so`` beside it when song2vec is installed.

It is loaded by ctypes, which checks the type, shape and order of every array that is handed over, and lets go of
Python's lock while C computes. Import it where training begins, not before: it loads scipy, whose BLAS C calls.
"""

import ctypes
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.ctypeslib import ndpointer
from scipy.linalg import cython_blas

from song2vec.errors import InstallationError


def random(rng: np.random.Generator) -> tuple[Any, Any]:
    """The state of a generator, and the function that draws from it, for C."""
    interface = rng.bit_generator.ctypes
    return interface.state, ctypes.cast(interface.next_double, ctypes.c_void_p)


def _load() -> Any:
    """The compiled loop, with the types of what its functions take: ctypes refuses anything else."""
    built = find_spec("song2vec.train._compiled")
    if built is None or built.origin is None:
        raise InstallationError(
            "the compiled loop of the trainer is missing: found no song2vec/train/_compiled.*.so. Install song2vec "
            "again where there is a C compiler (`make install`), or train with train.trainer=gensim."
        )
    library = ctypes.CDLL(built.origin)
    songs, places, steps = _array(np.int32), _array(np.uint32), _array(np.float32)
    short, matrix, wide = _array(np.uint8), _array(np.float32, 2), _array(np.float64)
    pointer, size, number, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float
    library.train_passages.argtypes = [
        songs, places, short, size, matrix, matrix, steps, steps, size, number,
        steps, steps, songs, pointer, pointer, real, real, real, real, number, real, real, pointer,
    ]  # fmt: skip
    library.train_passages.restype = library.cut_passages.restype = size
    library.cut_passages.argtypes = [places, size, pointer, pointer, places, short]
    library.alias_table.argtypes = [wide, songs, size, steps, songs]
    library.alias_table.restype = None
    return library


def _array(dtype: Any, dimensions: int = 1) -> Any:
    return ndpointer(dtype, dimensions, flags="C_CONTIGUOUS")


def _blas(name: str) -> int:
    """The address of a BLAS function, as scipy publishes it for compiled code."""
    capsule = cython_blas.__pyx_capi__[name]
    describe, address = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    describe.restype, describe.argtypes = ctypes.c_char_p, [ctypes.py_object]
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(address(capsule, describe(capsule)))


library, sgemm = _load(), _blas("sgemm")
PASSAGE = ctypes.c_int.in_dll(library, "passage_length").value
"""Most songs of a passage."""

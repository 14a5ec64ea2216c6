"""Kernel: loops that NumPy cannot run fast enough, in C.

Each function has a twin in Python or NumPy that gives the same, told beside its caller; the
twins take over where the kernel was not compiled, for want of a compiler, or is switched off by
SEARCHKIT_KERNEL=0. What the kernel gives, docs/performance.md tells.

Its arguments are arrays of an index, which may come from anywhere: each function checks every
number that leads to a place in memory, and raises ValueError for one that leads nowhere.
"""

import importlib
import os
from contextlib import suppress
from typing import Any

kernel: Any = None
if os.environ.get("SEARCHKIT_KERNEL") != "0":
    with suppress(ImportError):
        kernel = importlib.import_module("searchkit.kernel._kernel")

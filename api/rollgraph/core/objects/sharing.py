"""Equal parts of objects become one part: a fleet repeats itself.

Phases, reasons, images, labels, steps and times are the same in thousands of objects. Kept once,
they leave 10 KiB of 19 for a rollout with a ReplicaSet and two pods (benchmarks/memory.py).
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import force_setattr

# Longer texts are messages, and hardly two are the same.
_LONGEST = 64
# Unique to their object, or often new: nothing to share, and the table would be full of them.
_UNIQUE = frozenset({"uid", "resource_version", "manifest", "annotations"})
# The table is emptied at so many entries, some 2 MiB: what is shared already stays so.
_MOST = 8_192

_parts: dict[Any, Any] = {}


def share(obj: msgspec.Struct) -> None:
    """Replaces parts of a fresh object by equal ones that others have already.

    Only for an object that nobody else has seen: it changes what is frozen, though not its value.
    """
    if len(_parts) > _MOST:
        _parts.clear()
    _share(obj)


def _share(obj: msgspec.Struct) -> None:
    for name in obj.__struct_fields__:
        value = getattr(obj, name)
        kind = type(value)
        if name in _UNIQUE:
            continue
        if kind is str:
            if value and len(value) <= _LONGEST:
                _put(obj, name, value, value)
        elif kind is datetime:
            _put(obj, name, value, value)
        elif kind is list and value:
            if isinstance(value[0], msgspec.Struct):
                for item in value:
                    _share(item)
            else:
                # A canary's steps: a company has a few sorts of them, and each takes 2 KiB.
                _put(obj, name, msgspec.json.encode(value), value)
        elif kind is dict:
            if all(type(item) is str for item in value.values()):
                _put(obj, name, tuple(value.items()), value)
        elif isinstance(value, msgspec.Struct):
            _share(value)


def _put(obj: msgspec.Struct, name: str, key: object, value: object) -> None:
    known = _parts.setdefault(key, value)
    if known is not value:
        force_setattr(obj, name, known)

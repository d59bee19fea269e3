"""Lists, whole or in pages."""

import base64
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import count

from rollgraph.simulation import problems
from rollgraph.simulation.apiserver import requests
from rollgraph.simulation.apiserver.requests import Target
from rollgraph.simulation.manifests import Manifest, name_of, namespace_of, without_none
from rollgraph.simulation.store import Store

# Lists of which somebody has not read all pages yet. A real server keeps the state of five minutes.
MOST_PAGED = 100


class Lists:
    """Answers lists of one store. All pages of a list are of one version."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._paged: OrderedDict[int, tuple[int, Sequence[Manifest]]] = OrderedDict()
        self._numbers = count(1)

    def answer(self, target: Target, query: Mapping[str, str]) -> Manifest:
        """A list, or its next page; raises a 400, 410 or 504."""
        asked = requests.version(query)
        if asked is not None and asked > self._store.version:
            raise problems.too_large(asked, self._store.version)
        if query.get("continue"):
            number, start = _read(query["continue"])
            if number not in self._paged:
                raise problems.ApiError(
                    410, "Expired", "The provided continue parameter is too old"
                )
            version, items = self._paged[number]
        else:
            number, start, version = 0, 0, self._store.version
            items = self._items(target, query)
        limit = int(query.get("limit") or 0)
        if asked == 0 or not limit:
            # Version 0 is answered from a cache that knows no pages.
            limit = len(items)
        page, left = items[start : start + limit], len(items) - start - limit
        token = ""
        if left > 0:
            number = number or self._keep(version, items)
            token = _written(number, start + limit)
        return _body(target, page, version, token, left)

    def items(self, target: Target, query: Mapping[str, str]) -> Sequence[Manifest]:
        """What a list holds, ordered as etcd orders it."""
        return self._items(target, query)

    def _items(self, target: Target, query: Mapping[str, str]) -> Sequence[Manifest]:
        matches = requests.wanted(query)
        held = self._store.items(target.resource.kind, target.namespace)
        return sorted(
            filter(matches, held), key=lambda item: (f"{namespace_of(item)}/", name_of(item))
        )

    def _keep(self, version: int, items: Sequence[Manifest]) -> int:
        number = next(self._numbers)
        self._paged[number] = (version, items)
        if len(self._paged) > MOST_PAGED:
            self._paged.popitem(last=False)
        return number


def _body(
    target: Target, page: Sequence[Manifest], version: int, token: str, left: int
) -> Manifest:
    resource = target.resource
    if resource.built_in:
        # Items of built-in kinds do not repeat what the list says.
        page = [
            {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
            for item in page
        ]
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": without_none(
            {
                "resourceVersion": str(version),
                "continue": token or None,
                "remainingItemCount": left if token else None,
            }
        ),
        "items": page,
    }


def _written(number: int, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([number, start]).encode()).decode()


def _read(token: str) -> tuple[int, int]:
    try:
        number, start = json.loads(base64.urlsafe_b64decode(token))
        return int(number), int(start)
    except (ValueError, TypeError) as error:
        raise problems.bad_request("continue key is not valid") from error

"""Documents on a Redis that has lost a part of what it keeps of them."""

from pathlib import Path

import pytest

from contract.servers import RedisServer
from rollgraph.adapters.redis.documents import RedisDocuments
from rollgraph.adapters.redis.keys import Keys
from rollgraph.adapters.redis.opening import open_redis
from rollgraph.core.documents import digest

pytestmark = pytest.mark.looptime(False)

KEYS = Keys()


@pytest.mark.parametrize("taken", KEYS.documents)
async def test_they_are_kept_on_whatever_was_deleted_or_evicted(taken: str, tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    redis = open_redis(server.url)
    try:
        store = RedisDocuments(redis, most=2)
        texts = [f"{{ field{number} }}" for number in range(4)]
        for text in texts[:2]:
            await store.put(digest(text), text)
        await redis.delete(taken)
        for text in texts:
            await store.put(digest(text), text)
        found = [await store.get(digest(text)) for text in texts]
    finally:
        await redis.aclose()
        server.stop()
    assert found == [None, None, *texts[2:]]

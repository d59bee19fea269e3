"""redis-py's client for a cluster, with bounds, and a way back to the servers it was told of."""

from collections.abc import Sequence
from typing import Any

import anyio
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException

# Commands of one process at a time; each takes one connection. Those beyond wait.
AT_ONCE = 32
# Connections to each server: the commands' and, beside them, those of pipelines, of which a worker
# or a gateway has a few at a time.
CONNECTIONS = 2 * AT_ONCE


class Cluster(RedisCluster):
    """A client for a Redis Cluster.

    Two things redis-py's own does not: it refuses what finds no connection free instead of letting
    it wait, and forgets by what names it was told to find the cluster, so that one whose servers
    have all got new addresses is lost for ever.

    It sends ASKING and what follows over connections that may differ (as of 8.1): while a slot
    moves, what has moved ahead of it fails, and has to be tried again.

    Args:
        nodes: Host and port of some servers.
        options: As of `RedisCluster`.
    """

    def __init__(self, nodes: Sequence[tuple[str, int]], **options: Any) -> None:
        # 0: with any other number every so many moved slots cut all connections, also those that
        # others wait on. Slots that have moved are noted one by one.
        super().__init__(
            startup_nodes=[ClusterNode(host, port) for host, port in nodes],
            reinitialize_steps=0,
            max_connections=CONNECTIONS,
            **options,
        )
        self._given = list(self.startup_nodes)
        self._free = anyio.Semaphore(AT_ONCE)

    async def initialize(
        self,
        additional_startup_nodes_info: list[tuple[str, int]] | None = None,
        last_failed_node_name: str | None = None,
    ) -> "RedisCluster":
        """Learns of all servers from one of those that are known, or else that it was told of."""
        try:
            return await super().initialize(additional_startup_nodes_info, last_failed_node_name)
        except RedisClusterException:
            if not self._begin_anew():
                raise
            return await super().initialize()

    async def learn(self) -> None:
        """Learns again who has what."""
        await self.initialize()
        try:
            await self.nodes_manager.initialize()
        except RedisClusterException:
            if not self._begin_anew():
                raise
            await self.nodes_manager.initialize()

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Sends a command to the servers that it is for."""
        async with self._free:
            return await super().execute_command(*args, **kwargs)

    async def homes(self, channels: Sequence[str]) -> dict[tuple[str, int], list[str]]:
        """Host and port of the servers that publish on these channels now, each with its own."""
        await self.learn()
        found: dict[tuple[str, int], list[str]] = {}
        for channel in channels:
            node = self.get_node_from_key(channel)
            assert node is not None, "that of the primary is always known"
            found.setdefault((node.host, int(node.port)), []).append(channel)
        return found

    def _begin_anew(self) -> bool:
        """Goes back to the servers that it was told of; False if it has learned of no others."""
        given = {node.name: node for node in self._given}
        known, self.nodes_manager.startup_nodes = self.nodes_manager.startup_nodes, given
        return known.keys() != given.keys()

"""
L{mailstore.lru}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.lru import Cache


class CacheTests(SynchronousTestCase):
    """
    L{Cache}.
    """

    def test_bounded(self) -> None:
        """
        What was used longest ago goes when the costs are more than the capacity.
        """
        cache: Cache[str, int] = Cache(10)
        cache.put("a", 1, 4)
        cache.put("b", 2, 4)
        self.assertEqual(cache.get("a"), 1)
        cache.put("c", 3, 4)
        self.assertEqual((cache.get("a"), cache.get("b"), cache.get("c"), cache.cost), (1, None, 3, 8))

    def test_replaced(self) -> None:
        """
        A value takes the place of the one before; one that costs too much is not kept.
        """
        cache: Cache[str, int] = Cache(10)
        cache.put("a", 1, 9)
        cache.put("a", 2, 3)
        self.assertEqual((cache.get("a"), cache.cost, len(cache)), (2, 3, 1))
        cache.put("a", 3, 11)
        self.assertEqual((cache.get("a"), cache.cost), (None, 0))
        cache.put("b", 1)
        cache.clear()
        self.assertEqual((len(cache), cache.cost), (0, 0))

    def test_resized(self) -> None:
        """
        When the capacity becomes less, what was used longest ago goes; when it becomes more
        again, more is kept.
        """
        cache: Cache[str, int] = Cache(10)
        for key in "abc":
            cache.put(key, 0, 3)
        cache.resize(6)
        self.assertEqual((["a" in cache, "b" in cache, "c" in cache], cache.cost), ([False, True, True], 6))
        cache.resize(9)
        cache.put("d", 0, 3)
        self.assertEqual((len(cache), cache.cost), (3, 9))

"""
Made-up words, for texts that look like mail to a search index.
"""

from __future__ import annotations

import random

_SYLLABLES = (
    *("ba", "ce", "di", "fo", "gu", "ha", "ke", "li"),
    *("mo", "nu", "par", "ras", "ser", "tin", "vol", "wen"),
)


def vocabulary(seed: int) -> list[str]:
    """
    3,000 words, some of them more than once, the same for the same seed.
    """
    chance = random.Random(seed)
    return ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(3000)]


def sentence(chance: random.Random, words: list[str]) -> str:
    """
    Nine of them.
    """
    return " ".join(chance.choices(words, k=9))

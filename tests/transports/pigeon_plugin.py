"""
A kind of transport of a third party, as its distribution would install it in
C{twisted/plugins/}: no other step is needed to use C{pigeon:LOFT} in a
description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.plugin import IPlugin
from zope.interface import implementer

from transports.errors import BadDescription
from transports.interfaces import ITransport, ITransportScheme
from transports.limits import Limits
from transports.memory import MemoryTransport


class PigeonTransport(MemoryTransport):
    """
    Messages by pigeon, who never leave this process.

    @ivar wind: how strong it blows, in knots.
    """

    def __init__(self, reactor: Any, limits: Limits, loft: str, wind: int) -> None:
        super().__init__(reactor, limits, f"pigeons of {loft}")
        self.description = f"pigeon:{loft}"
        self.wind = wind


@implementer(IPlugin, ITransportScheme)
class PigeonScheme:
    """
    C{pigeon:LOFT}, with the option C{wind=KNOTS}.
    """

    scheme = "pigeon"
    form = "pigeon:LOFT"
    options = ("wind",)

    def makeTransport(
        self, arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: Any
    ) -> ITransport:
        """
        See L{ITransportScheme.makeTransport}.
        """
        if len(arguments) != 1 or not arguments[0]:
            raise BadDescription("pigeon: needs one loft: pigeon:LOFT")
        wind = options.get("wind", "0")
        if not wind.isdecimal():
            raise BadDescription(f"pigeon: wind must be a number of knots, not {wind!r}")
        return PigeonTransport(reactor, limits, arguments[0], int(wind))


pigeon = PigeonScheme()

"""
C{mailstore config check}.
"""

from __future__ import annotations

from mailstore.config import ConfigError, load


def checkConfig(path: str) -> int:
    """
    Check everything about a config file that can be checked without starting
    the server: its settings, transport, endpoints and certificate, and the
    form of the store's URL.

    @raise ConfigError: something is wrong; the message is one line.
    """
    # Only this command needs Twisted, and importing it takes longer than the others run.
    from mailstore.topology import MailService, Part

    config = load(path)
    try:
        MailService(None, Part(config))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    print(f"{path}: good")
    return 0

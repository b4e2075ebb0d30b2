"""
Tests for L{mailstore.config}.
"""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.config import LIMITS, MAX_FILE, Config, ConfigError, dump, load, parse, unknown
from mailstore.engine.limits import EngineLimits
from mailstore.imap.limits import ImapLimits
from mailstore.lmtp.limits import LmtpLimits

WHOLE = b"""
[store]
url = "sqlite:////var/mail.db"
subscribe_new = true
[transport]
description = "unix:/run/store:blocks=64"
[overload]
patience = 0
[imap]
listen = ["tcp:143", {endpoint = "ssl:993", public_folders = false}]
literals = "minus"
trust_loopback = false
unauthenticate = false
[lmtp]
listen = ["unix:/run/lmtp"]
domains = ["example.org", "example.net"]
detail = "+"
host = "mx.example.org"
[metrics]
listen = "tcp:9100"
store_listen = "tcp:9101"
[tls]
certificate = "mail.crt"
key = "mail.key"
[auth]
checkers = ["unix", "file:/etc/mail/passwd"]
secret = "nobody can guess this"
[limits.store]
max_message = 1000000
[limits.ipc]
window = 2
deadline = 7
[limits.imap]
max_sessions = 17
login_delay = 0.5
[limits.lmtp]
max_recipients = 5
"""


class ParseTests(SynchronousTestCase):
    """
    L{parse} and L{load}.
    """

    def test_empty(self) -> None:
        """
        An empty file means the defaults.
        """
        self.assertEqual(parse(b"", "f"), Config())

    def test_placesForAll(self) -> None:
        """
        By default, as many clients as there can be may all stop reading in the middle of long
        messages, and there still are places in the channel for what others ask.
        """
        config = Config()
        self.assertGreater(config.ipc_limits.max_calls, 2 * config.imap_limits.max_sessions)

    def test_whole(self) -> None:
        """
        Every kind of setting arrives where it belongs.
        """
        config = parse(WHOLE, "f")
        self.assertEqual(config.store_url, "sqlite:////var/mail.db")
        self.assertTrue(config.subscribe_new)
        self.assertEqual(config.transport, "unix:/run/store:blocks=64")
        self.assertEqual(config.listen, ("tcp:143", "ssl:993"))
        self.assertEqual((config.without_public, config.literals), (("ssl:993",), "minus"))
        self.assertFalse(config.trust_loopback or config.unauthenticate)
        self.assertEqual((config.certificate, config.key), ("mail.crt", "mail.key"))
        self.assertEqual(config.checkers, ("unix", "file:/etc/mail/passwd"))
        self.assertEqual(config.secret, "nobody can guess this")
        self.assertEqual(config.lmtp_listen, ("unix:/run/lmtp",))
        self.assertEqual(config.lmtp_domains, ("example.org", "example.net"))
        self.assertEqual((config.lmtp_detail, config.lmtp_host), ("+", "mx.example.org"))
        self.assertEqual((config.metrics_listen, config.metrics_store_listen), ("tcp:9100", "tcp:9101"))
        self.assertEqual(config.lmtp_limits, LmtpLimits(max_recipients=5))
        self.assertEqual(config.store_limits, EngineLimits(max_message=1000000))
        self.assertEqual((config.ipc_limits.window, config.ipc_limits.deadline), (2, 7.0))
        self.assertEqual(config.ipc_limits.patience, 0.0)
        self.assertEqual(config.imap_limits, ImapLimits(max_sessions=17, login_delay=0.5))

    def test_dump(self) -> None:
        """
        What L{dump} writes is read again as the same, for the defaults, for
        one where everything is set, and for odd texts.
        """
        odd = attrs.evolve(Config(), store_url='sqlite:a "b"\\ \u00e9\U0001f600.db')
        for config in (Config(), parse(WHOLE, "f"), odd):
            self.assertEqual(parse(dump(config).encode(), "again"), config)

    def test_everyLimit(self) -> None:
        """
        Every field of the classes of limits can be set to its default.
        """
        text = dump(attrs.evolve(Config(), store_limits=EngineLimits(max_database=1 << 30)))
        for kind in LIMITS.values():
            for field in attrs.fields(kind):
                self.assertIn(f"\n{field.name} = ", text)

    def test_refused(self) -> None:
        """
        What cannot be used is one line, which begins with the file and names
        the place.
        """
        for text, expected in (
            (b'[store]\nurk = "x"', "[store] unknown setting 'urk'; did you mean 'url'?"),
            (b"[stoer]", "unknown table 'stoer'; did you mean 'store'?"),
            (
                b"[zzz]",
                "unknown table 'zzz'; there are: auth, imap, limits, lmtp, metrics, overload, store, tls,"
                " transport",
            ),
            (b"store = 1", "store must be a table: [store]"),
            (b"[store]\nurl = 7", "[store] url must be a text, not 7"),
            (b'[store]\nurl = ""', "[store] url must be a text without control characters, not ''"),
            (b'[store]\nurl = "a\\nb"', "[store] url must be a text without control characters, not 'a\\nb'"),
            (b'[imap]\nlisten = "tcp:1"', "[imap] listen must be a list of endpoints, not 'tcp:1'"),
            (b"[imap]\nlisten = [1]", "[imap] listen must be a list of endpoints, not [1]"),
            (b'[imap]\nlisten = [""]', "[imap] listen must be a text without control characters, not ''"),
            (
                b'[imap]\nlisten = [{endpoint = "tcp:1", public = false}]',
                "[imap] listen: unknown setting 'public'; did you mean 'public_folders'?",
            ),
            (b"[imap]\nlisten = [{public_folders = false}]", "[imap] listen: a table needs an endpoint"),
            (b"[imap]\nlisten = [{endpoint = 1}]", "[imap] listen: endpoint must be a text, not 1"),
            (
                b'[imap]\nlisten = [{endpoint = "tcp:1", public_folders = "no"}]',
                "[imap] listen: public_folders must be true or false, not 'no'",
            ),
            (
                b'[imap]\nlisten = ["tcp:1", {endpoint = "tcp:1", public_folders = false}]',
                "[imap] listen names 'tcp:1' twice, with and without public folders",
            ),
            (b'[imap]\nliterals = "both"', '[imap] literals must be "plus" or "minus", not \'both\''),
            (b"[imap]\nlisten = []", "[imap] listen names no endpoint"),
            (b"[imap]\ntrust_loopback = 1", "[imap] trust_loopback must be true or false, not 1"),
            (b"[overload]\npatience = true", "[overload] patience must be a number, not True"),
            (b"[overload]\npatienc = 1", "[overload] unknown setting 'patienc'; did you mean 'patience'?"),
            (b"[overload]\npatience = -1", "[overload] patience must be a number from 0 to 3600, not -1.0"),
            (b"[limits.ipc]\npatience = 1", "[limits.ipc] patience has its place in [overload]"),
            (b"[limits.ipc]\nwindows = 1", "[limits.ipc] unknown setting 'windows'; did you mean 'window'?"),
            (
                b"[limits.store]\nmax_message = 1.5",
                "[limits.store] max_message must be a whole number, not 1.5",
            ),
            (b"[limits.store]\nmax_message = 0", "[limits.store] 'max_message' must be >= 1: 0"),
            (
                b"[limits.imap]\nmax_sesions = 1",
                "[limits.imap] unknown setting 'max_sesions'; did you mean 'max_sessions'?",
            ),
            (b"[limits.mail]", "[limits] unknown setting 'mail'; there are: imap, ipc, lmtp, store"),
            (b"[limits]\nimap = 3", "limits.imap must be a table: [limits.imap]"),
            (b'[tls]\ncertificate = "x"', "[tls] needs both certificate and key: key is missing"),
            (b'[tls]\nkey = "x"', "[tls] needs both certificate and key: certificate is missing"),
            (b'[auth]\nsecret = "short"', "[auth] secret must have at least 16 characters"),
            (b'[auth]\ncheckers = "unix"', "[auth] checkers must be a list of texts, not 'unix'"),
            (
                b'[lmtp]\ndetail = "++"',
                "[lmtp] detail must be one character such as '+', not '++'",
            ),
            (b'[lmtp]\ndomains = ["a b"]', "[lmtp] 'a b' is not the name of a domain or host"),
            (b'[lmtp]\nhost = "x@y"', "[lmtp] 'x@y' is not the name of a domain or host"),
            (b'[lmtp]\nlisten = "unix:x"', "[lmtp] listen must be a list of texts, not 'unix:x'"),
            (b"[store\n", "Expected ']' at the end of a table declaration (at line 1, column 7)"),
            (b"# \xff", "not UTF-8 at byte 2"),
            (b" " * (MAX_FILE + 1), f"longer than {MAX_FILE} bytes, which no config file is"),
        ):
            error = self.assertRaises(ConfigError, parse, text, "mail.toml")
            self.assertEqual(str(error), f"mail.toml: {expected}")

    def test_secrets(self) -> None:
        """
        What is nobody's business is not in a representation that a log would hold.
        """
        config = attrs.evolve(Config(), secret="nobody can guess this", checkers=("memory:carol:pass",))
        self.assertNotIn("guess", repr(config))
        self.assertNotIn("carol", repr(config))

    def test_load(self) -> None:
        """
        A file is read; one that is not there, or is a directory, is named.
        """
        path = self.mktemp()
        error = self.assertRaises(ConfigError, load, path)
        self.assertEqual(str(error), f"{path}: No such file or directory")
        with open(path, "wb") as file:
            file.write(WHOLE)
        self.assertEqual(load(path), parse(WHOLE, "f"))
        error = self.assertRaises(ConfigError, load, "/")
        self.assertEqual(str(error), "/: Is a directory")

    def test_unknown(self) -> None:
        """
        The nearest name is suggested only when it is near.
        """
        roles = ["store", "all"]
        self.assertEqual(unknown("role", "stor", roles), "unknown role 'stor'; did you mean 'store'?")
        self.assertEqual(unknown("role", "x", roles), "unknown role 'x'; there are: all, store")

"""
Tests for L{mailstore.selfsigned}.  That clients trust such a certificate is
tested with them, in L{tests.auth.test_clients}.
"""

from __future__ import annotations

import datetime
import sys
from unittest.mock import patch

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.config import Config, ConfigError
from mailstore.selfsigned import fingerprint, selfSigned
from mailstore.topology import MailService, Part


class SelfSignedTests(SynchronousTestCase):
    """
    L{selfSigned} and L{fingerprint}.
    """

    def test_certificate(self) -> None:
        """
        It is this machine's, valid now and for some days, and nobody can sign others with it.
        """
        options = selfSigned()
        assert options is not None and options.certificate is not None
        options.getContext().check_privatekey()
        certificate = options.certificate.to_cryptography()
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["localhost"])
        addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
        self.assertEqual(addresses, ["127.0.0.1", "::1"])
        now = datetime.datetime.now(datetime.UTC)
        self.assertLess(certificate.not_valid_before_utc, now - datetime.timedelta(hours=1))
        self.assertGreater(certificate.not_valid_after_utc, now + datetime.timedelta(days=7))
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        self.assertFalse(constraints.ca)

    def test_fingerprint(self) -> None:
        """
        Each has another key, and so another fingerprint of 32 bytes.
        """
        first, second = selfSigned(), selfSigned()
        assert first is not None and second is not None
        self.assertEqual(len(fingerprint(first).split(":")), 32)
        self.assertNotEqual(fingerprint(first), fingerprint(second))

    def test_notInstalled(self) -> None:
        """
        Where TLS is not installed there is none.
        """
        for missing in ("OpenSSL", "cryptography"):
            with patch.dict(sys.modules, {missing: None}):
                self.assertIsNone(selfSigned())


class DemoWithoutTlsTests(TestCase):
    """
    A demo where TLS is not installed.
    """

    async def test_serves(self) -> None:
        """
        It works, without TLS; only an C{ssl:} endpoint cannot be had.
        """
        from twisted.internet import reactor

        with patch.dict(sys.modules, {"OpenSSL": None}):
            config = Config(listen=("tcp:0:interface=127.0.0.1",))
            service = MailService(reactor, Part(config, demo=True))
            with self.assertRaises(ConfigError):
                MailService(reactor, Part(Config(listen=("ssl:0",)), demo=True))
        service.startService()
        self.addCleanup(service.stopService)
        await service.ready
        self.assertIsNone(service.tls)

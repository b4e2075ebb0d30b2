"""
C{twist mailstore}.
"""

from twisted.application.service import ServiceMaker

mailstore = ServiceMaker(
    "mailstore", "mailstore.tap", "A mail store of public folders, served over IMAP", "mailstore"
)

"""
The tests of mailstore and its transports.
"""

from hypothesis import HealthCheck, settings

# A busy machine is slow, and that is no failure; nothing is written beside the tests.
settings.register_profile(
    "mailstore", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("mailstore")

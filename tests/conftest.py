"""Shared by all tests."""

from hypothesis import HealthCheck, settings

# Machines are shared: how long an example takes says nothing about our code.
settings.register_profile("vectra", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vectra")

"""Resilience checks: treat a running service badly, and compare what it does with limits.

``python -m tests.resilience FOLDER`` checks the service in this folder, and
``tests/test_resilience.py`` some generated ones. The checks know of a service what its OpenAPI
document says.
"""

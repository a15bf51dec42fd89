"""What the template ships for deployment, built and run with a real engine.

`make test-deployment` starts Docker's daemon with a data folder of its own, builds the images of some
services, runs them as `compose.yaml` does, and prints a table of figures. No image is pulled: small
systems of Debian stand in for the base images (tests/deployment/standins.py).
"""

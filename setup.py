"""What pyproject.toml cannot say: the notebooks, which stand beside the package, are installed inside of it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["pdmigrate", "pdmigrate.*"]), "pdmigrate.notebooks"],
    package_dir={"pdmigrate.notebooks": "notebooks"},
)

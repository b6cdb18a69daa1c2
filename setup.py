"""The packages of the wheel: the generator's, and the flavours of values/ among its data."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["generator*"]), "generator.data.flavours"],
    package_dir={"generator.data.flavours": "values"},
)

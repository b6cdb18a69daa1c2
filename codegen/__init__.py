"""Derives data from upstream: compact CRDs and slim schemas, for generator/data.

Development time only, `python -m codegen`; the generator itself never imports it.
"""

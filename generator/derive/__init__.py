"""Derives data from upstream: compact CRDs (generator/crds) and slim schemas (generator/schemas).

Development time only, `python -m generator.derive`; the generator itself never imports it.
"""

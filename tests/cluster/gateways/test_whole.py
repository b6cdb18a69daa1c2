"""Comes last, by its name, and only in a run of the whole folder."""

from __future__ import annotations

from tests.cluster.gateways import matrix


def test_no_cell_of_the_matrix_is_missing():
    assert matrix.missing() == []

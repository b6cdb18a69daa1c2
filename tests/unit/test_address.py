"""Templates of hosts and paths, filled in by the generator as the models chart fills them."""

import pytest

from generator.values.address import filled

KNOWN = {"Name": "iris", "Namespace": "fraud", "Labels": {"team": "a", "example.com/team": "b"}}


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}", "iris-fraud.{{ .IngressDomain }}"),
        ("/{{- .Namespace -}}/{{.Name}}", "/fraud/iris"),
        ('{{ .Labels.team }}.{{ index .Labels "example.com/team" }}', "a.b"),
        (
            "{{ .Labels.other }}.{{ .Annotations.team }}",
            "{{ .Labels.other }}.{{ .Annotations.team }}",
        ),
        ("plain", "plain"),
    ],
)
def test_what_is_known_is_filled_in_and_the_rest_stays(template, address):
    assert filled(template, KNOWN) == address

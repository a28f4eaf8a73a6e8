"""Label selectors, as Kubernetes reads them."""

from agen_authz.envoy.check.source import canonical
from agen_authz.envoy.check.spot import Spot


def matches(selector: Spot, labels: Spot) -> bool:
    """True if labels are selected; a selector without requirements selects all, an unknown operator nothing."""
    plain = all(
        _is(labels.at(key), value.text) and bool(value.text) for key, value in selector.at("match_labels").members()
    )
    return plain and all(_holds(each, labels) for each in selector.at("match_expressions").items())


def _is(label: Spot, value: str) -> bool:
    return label.is_written and label.text == value


def _holds(expression: Spot, labels: Spot) -> bool:
    # Keys of labels are spelt as all keys are here; so is the name of one.
    label = labels.at(canonical(expression.at("key").text))
    values = expression.at("values").words
    match expression.at("operator").text:
        case "In":
            return label.is_written and label.text in values
        case "NotIn":
            return not label.is_written or label.text not in values
        case "Exists":
            return label.is_written
        case "DoesNotExist":
            return not label.is_written
        case _:
            return False

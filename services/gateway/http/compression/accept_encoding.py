"""What a caller says of content codings in `Accept-Encoding` (RFC 9110, 12.5.3)."""

from collections.abc import Iterable


def best_coding(accepted: str, available: Iterable[str]) -> str | None:
    """Return the coding that the caller weighs most, of equal ones the first that is available.

    None where the content goes as it is: there is none that is accepted, or it is wanted less.
    """
    weights = dict(map(_weight, accepted.lower().split(",")))

    def weight(coding: str) -> float:
        return weights.get(coding, weights.get("*", 0))

    best = max(available, key=weight, default=None)
    if best is None or weight(best) <= 0 or weight(best) < weights.get("identity", 0):
        return None
    return best


def _weight(entry: str) -> tuple[str, float]:
    """Return the coding and its weight, from 0 (not at all) to 1; what is no weight counts 0."""
    coding, _, parameter = entry.partition(";")
    name, equals, value = parameter.partition("=")
    if not equals:
        return coding.strip(), 1
    try:
        return coding.strip(), float(value) if name.strip() == "q" else 1
    except ValueError:
        return coding.strip(), 0

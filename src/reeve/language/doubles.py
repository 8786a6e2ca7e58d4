"""Numbers as Java prints them, which condition texts do (policy language, section 5)."""

import math


def java_double(number: float) -> str:
    """Return a number as Java prints a double: 0.0, 1.0E7, 1.111E9, NaN, Infinity."""
    number = float(number)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return _plain_decimal(number)
    mantissa, _, exponent = f"{_shortest_scientific(number)}".partition("e")
    return f"{mantissa}E{int(exponent)}"


def _plain_decimal(number: float) -> str:
    text = repr(number)
    if "e" not in text:
        return text
    return f"{number:.20f}".rstrip("0")


def _shortest_scientific(number: float) -> str:
    for digits in range(1, 18):
        text = f"{number:.{digits}e}"
        if float(text) == number:
            return text
    return f"{number:.17e}"

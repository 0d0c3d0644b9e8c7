"""Values as Go's fmt package writes them: `print`, `printf`, and what `{{ value }}` shows."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

_VERB = re.compile(r"%(?P<flags>[+\-# 0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<verb>.?)", re.DOTALL)
_WIDEST = 1000


def go_text(value: object, missing: str = "<nil>") -> str:
    """The verb %v."""
    if value is None:
        return missing
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    return str(value)


def shortest(value: float) -> str:
    """A float64 as %v: the fewest digits that read back, with an exponent below 1e-4 and from 1e6."""
    if not math.isfinite(value):
        return _unending(value)
    exponent = Decimal(repr(value)).adjusted() if value else 0
    if not -4 <= exponent < 6:
        return exponential(value)
    return repr(value).removesuffix(".0")


def exponential(value: float) -> str:
    """Go's `strconv.FormatFloat(value, 'e', -1, 64)`: `1e+00`, `1.25e-03`, `NaN`, `+Inf`."""
    if not math.isfinite(value):
        return _unending(value)
    number = Decimal(repr(value))
    digits = "".join(str(digit) for digit in number.as_tuple().digits).lstrip("0").rstrip("0") or "0"
    exponent = number.adjusted() if value else 0
    sign = "-" if math.copysign(1, value) < 0 else ""
    point = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def four_digits(value: float) -> str:
    """The verb %.4g."""
    return f"{value:.4g}" if math.isfinite(value) else _unending(value)


def _unending(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def go_print(values: Iterable[object]) -> str:
    """`print`: a space between two operands of which neither is a text."""
    text, before = "", ""
    for index, value in enumerate(values):
        now = "text" if isinstance(value, str) else "other"
        text += " " if index and before == now == "other" else ""
        text += go_text(value)
        before = now
    return text


def go_printf(pattern: str, *values: object) -> str:
    """`printf`, with Go's words for a verb that does not fit its value: `%!d(float64=1.5)`."""
    left = list(values)

    def one(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb == "%":
            return "%"
        if not verb:
            return "%!(NOVERB)"
        if not left:
            return f"%!{verb}(MISSING)"
        value = left.pop(0)
        text = _formatted(match, value)
        return f"%!{verb}({_type(value)}={go_text(value)})" if text is None else _padded(match, text)

    written = _VERB.sub(one, pattern)
    extra = ", ".join(f"{_type(value)}={go_text(value)}" for value in left)
    return f"{written}%!(EXTRA {extra})" if extra else written


def _formatted(match: re.Match[str], value: object) -> str | None:
    verb = match["verb"]
    if verb == "v":
        return go_text(value)
    for kind, verbs in _VERBS:
        if verb in verbs and isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
            return verbs[verb](match, value)
    return None


def _float(match: re.Match[str], value: object) -> str:
    assert isinstance(value, float)
    verb, precision = match["verb"], match["precision"]
    plus = "+" if "+" in match["flags"] else ""
    if not math.isfinite(value):
        return _unending(value) if plus or value < 0 or math.isnan(value) else "+Inf"
    if verb in "gG" and precision is None:
        text = shortest(value)
        return plus + text if value >= 0 else text
    digits = "" if precision is None else f".{min(int(precision or 0), _WIDEST)}"
    return f"%{plus}{digits}{verb}" % value


def _integer(match: re.Match[str], value: object) -> str:
    assert isinstance(value, int)
    if match["verb"] == "c":
        return chr(value) if 0 <= value < 0x110000 else "\ufffd"
    plus = "+" if "+" in match["flags"] else ""
    return format(value, f"{plus}{match['verb']}")


def _string(match: re.Match[str], value: object) -> str:
    text = str(value)
    if match["verb"] == "q":
        return json.dumps(text, ensure_ascii=False)
    if match["verb"] in "xX":
        encoded = text.encode().hex()
        return encoded.upper() if match["verb"] == "X" else encoded
    return text if match["precision"] is None else text[: int(match["precision"] or 0)]


_Format = Callable[[re.Match[str], object], str]
_VERBS: tuple[tuple[type, dict[str, _Format]], ...] = (
    (bool, {"t": lambda _, value: go_text(value)}),
    (float, dict.fromkeys("eEfFgG", _float)),
    (int, dict.fromkeys("dbocxX", _integer)),
    (str, dict.fromkeys("sqxX", _string)),
)


def _padded(match: re.Match[str], text: str) -> str:
    width = min(int(match["width"] or 0), _WIDEST)
    if "-" in match["flags"]:
        return text.ljust(width)
    number = match["verb"] not in "svqtc"
    if "0" in match["flags"] and number:
        return text.zfill(width)
    return text.rjust(width)


def _type(value: object) -> str:
    names: dict[type, str] = {str: "string", bool: "bool", int: "int", float: "float64", type(None): "<nil>"}
    return names.get(type(value), "map[string]string" if isinstance(value, Mapping) else "[]interface {}")

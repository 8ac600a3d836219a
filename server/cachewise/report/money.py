"""Money as text: exact for machines, short for people."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from cachewise.catalog.prices import plain

_SHOWN_DIGITS = 4


def exact(amount: Decimal | None) -> str | None:
    """All digits and no idle zeros: ``0.036102``, ``0``, never ``1E-7``; None stays None."""
    return None if amount is None else plain(amount)


def dollars(amount: Decimal | None) -> str:
    """For people: ``$0.0361``, ``$12.40``: four significant digits, cents at least."""
    if amount is None:
        return "price unknown"
    if not amount:
        return "$0.00"
    places = 2
    if abs(amount) < 1:
        # A millionth of a dollar is the price of a fraction of a token: two digits of it suffice.
        places = max(2, min(_SHOWN_DIGITS - 1 - amount.adjusted(), max(6, 1 - amount.adjusted())))
    return f"${amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):,f}"

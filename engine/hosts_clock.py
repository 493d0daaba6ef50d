# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a host has been up: what its TCP timestamps (RFC 7323, section 3) say when they are one clock.

As p0f does it (its README, sections "API access" and "Limitations"): two timestamps some time apart give the clock's
rate, and the timestamp divided by the rate is the time since the clock began at 0, modulo its wrap-around. Many stacks
begin the clock of each connection or pair of hosts at a random offset (Linux since 4.10). There the differences fit no
rate, so a rate counts only when two comparisons in a row give the same, and no longer after one that does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LEAST_NS = 1_000_000_000  # between two timestamps; nearer ones say too little of the rate
MOST_NS = 600_000_000_000  # and further ones may have wrapped around, or be of another boot
TICKS = 5  # at least: a slower clock has not moved enough
RATES = (0.7, 1500.0)  # Hz; RFC 7323 has 1 to 1,000, and clocks drift
_STEPS = ((10, 1), (50, 5), (100, 10), (500, 50), (1500, 100))  # up to this rate, a multiple of that is meant
_WRAP = 1 << 32


@dataclass(slots=True)
class Clock:
    """The timestamps of a host: their `rate` in Hz, 0 while it is not known, and `ticks`, the last one of that rate."""

    rate: int = 0
    ticks: int = 0
    _once: int = 0  # a rate that one comparison gave
    _last: dict[str, tuple[int, int]] = field(default_factory=dict)  # by side: timestamp and time, ns

    def see(self, side: str, ticks: int, now_ns: int) -> None:
        """Take the timestamp that a SYN or SYN+ACK had at a time, ns; 0 and less are none."""
        if ticks <= 0:
            return
        before, then_ns = self._last.get(side, (0, 0))
        passed = now_ns - then_ns
        if before and 0 <= passed < LEAST_NS:
            return
        self._last[side] = (ticks, now_ns)
        if not before or not 0 < passed <= MOST_NS:
            return
        moved = (ticks - before) % _WRAP
        rate = usual(moved * 1e9 / passed) if moved >= TICKS else 0
        if rate and rate == self._once:
            self.rate, self.ticks = rate, ticks
        else:
            self.rate = 0
        self._once = rate

    @property
    def minutes(self) -> int:
        """Minutes since the clock was 0, modulo `days`; 0 while the rate is not known."""
        return self.ticks // (self.rate * 60) if self.rate else 0

    @property
    def days(self) -> int:
        """Days after which the clock begins again at 0; 0 while the rate is not known."""
        return (_WRAP - 1) // (self.rate * 86_400) if self.rate else 0


def usual(measured: float) -> int:
    """Return the rate in Hz that a clock of about this rate is meant to have, 0 for none that RFC 7323 knows."""
    if not RATES[0] <= measured <= RATES[1]:
        return 0
    step = next(step for most, step in _STEPS if measured <= most)
    return max(1, round(measured / step) * step)

# SPDX-License-Identifier: MIT
"""A wall clock that a test moves, for the programs that it starts (tests/attack/clock_shift.c)."""

import os
import struct
import time


class ShiftedClock:
    """Their monotonic clock stays, so that deadlines and timers go on as ever."""

    def __init__(self, folder):
        self.path = folder / "clock-shift"
        self.path.write_bytes(struct.pack("q", 0))
        self.shift_s = 0

    @property
    def environment(self):
        """What a program has to be started with. The sanitizer must not insist on being first."""
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return {"LD_PRELOAD": os.environ["CLOCK_SHIFT"], "ASAN_OPTIONS": sanitizer,
                "CLOCK_SHIFT_FILE": str(self.path)}

    def shift(self, seconds):
        """Sets by how much it differs from the real one, at once and for all of them."""
        self.shift_s = seconds
        with self.path.open("r+b") as file:  # which they have mapped
            file.write(struct.pack("q", seconds))

    def now(self):
        return time.time() + self.shift_s

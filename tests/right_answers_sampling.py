"""Right answers."""

RIGHT = {}

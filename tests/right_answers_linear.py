"""Differently written right answers to the exercises of notebook 09."""

RIGHT = {}

"""Differently written right answers to the exercises of notebook 06."""

RIGHT = {}

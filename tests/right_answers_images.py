"""Differently written right answers to the exercises of notebook 08."""

RIGHT = {}

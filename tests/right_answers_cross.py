"""Differently written right answers to the exercises of notebook 10."""

RIGHT = {}

"""Differently written right answers to the exercises of notebook 07."""

RIGHT = {}

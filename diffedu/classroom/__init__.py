"""What the notebooks show and ask: pure views, figures, widgets."""

"""What goes wrong in the equations of notebook 09."""

FAULTS = ()

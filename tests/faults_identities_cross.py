"""What goes wrong in the equations of notebook 10."""

FAULTS = ()

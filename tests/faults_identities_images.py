"""What goes wrong in the equations of notebook 08."""

FAULTS = ()

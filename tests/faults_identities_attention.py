"""What goes wrong in the equations of notebook 06."""

FAULTS = ()

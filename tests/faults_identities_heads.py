"""What goes wrong in the equations of notebook 07."""

FAULTS = ()

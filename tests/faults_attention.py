"""What goes wrong in the attention rooms of diffedu/nets."""

FAULTS = ()

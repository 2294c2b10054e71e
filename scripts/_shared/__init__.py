"""Functions that several scripts share: machine and memory of a measurement, MPI, Markdown tables and numbers."""

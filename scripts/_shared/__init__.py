"""Functions that several scripts share: a description of the machine, and Markdown tables and numbers."""

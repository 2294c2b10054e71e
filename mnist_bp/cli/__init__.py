"""Command line: one file for each command, which reads options, calls the package, and prints results."""

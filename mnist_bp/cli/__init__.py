"""The command line: one file for each command, which reads options, calls the package, and shows what comes back."""

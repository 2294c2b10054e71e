"""Training: settings, the training loop, evaluation, diagnostics and run folders."""

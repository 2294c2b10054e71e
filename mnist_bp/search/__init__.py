"""Search for hyper-parameters with Optuna: values to try, a study, the training of a trial, and the result."""

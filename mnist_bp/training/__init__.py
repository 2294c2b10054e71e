"""Training: the recipe, the loop as a generator of results, how good a network is, and the folder of a run."""

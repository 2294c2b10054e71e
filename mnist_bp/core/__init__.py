"""The page of mathematics: it knows numpy and nothing else."""

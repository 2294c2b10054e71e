"""Mathematics of the network. It depends on numpy and on the error classes only."""

"""Files: written whole or not at all, archives of arrays, and saved models."""

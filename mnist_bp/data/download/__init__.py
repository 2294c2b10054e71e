"""Download of datasets: HTTP, verification of what arrives, the cache."""

"""Downloads of datasets: HTTP, verification and the cache."""

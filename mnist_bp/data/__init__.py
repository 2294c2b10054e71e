"""Digits: files and arrays, which datasets exist, where they come from, and how they are cut into mini-batches."""

"""Figures of a training and of what came of it, drawn by matplotlib: files, never windows."""

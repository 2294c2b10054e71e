"""Output for people: lines, tables, progress bars, images in a terminal, figures."""

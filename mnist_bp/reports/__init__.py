"""Everything that is shown to people: lines, tables, progress bars, images in a terminal, figures."""

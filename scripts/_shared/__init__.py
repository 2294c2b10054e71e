"""What several scripts have in common: the machine that they measured on, tables and numbers in Markdown."""

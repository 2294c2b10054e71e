"""Readers of dataset formats: one module for each, which finds datasets in a folder and reads them."""

"""Datasets: files and arrays, known datasets, downloads, and mini-batches.

>>> from mnist_bp.data.batches import mini_batches
>>> from mnist_bp.data.datasets import load
>>> digits = load("synthetic", limit=1000).train
>>> for x, labels in mini_batches(digits.inputs("float32"), digits.labels, 100, seed=0, epoch=1):
...     cost, gradient = network.backpropagate(x, labels)
"""

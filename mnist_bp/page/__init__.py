"""A page on which a network is at work: one HTML file, for a browser and nothing else.

The sources are page.html, page.css and the ES modules in js/, which ``bundle`` makes one script of. network.js,
chain_rule.js and preprocess.js mirror the Python files of the same names; functions.js, the activations and the cost
of the network, is generated from the registries by ``functions``.
"""

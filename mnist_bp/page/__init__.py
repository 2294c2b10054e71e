"""Interactive page of a network: one HTML file that needs only a browser.

The sources are page.html, page.css and the ES modules in js/, which ``bundle`` combines into one script. network.js,
chain_rule.js and preprocess.js mirror the Python files with these names. functions.js, with the activations and the
cost of the network, is generated from the registries by ``functions``.
"""

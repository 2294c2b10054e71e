"""A page on which a network is at work: one HTML file, for a browser and nothing else.

The sources beside this file are the page: page.html, page.css, and the JavaScript files in js/. Of these, network.js
and preprocess.js mirror the files of the package that do the same in Python.
"""

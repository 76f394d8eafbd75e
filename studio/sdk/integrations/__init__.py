"""Callbacks and loggers that report what a framework measures to the run of this script.

One module a framework, which imports it: nothing here is loaded before it is used. Python 3.8
syntax.
"""

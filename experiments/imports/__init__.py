"""Runs that ran elsewhere: one description of an ended sweep, and readers that make it of files
and storages of other tools. Pure: knows neither database nor requests.
"""

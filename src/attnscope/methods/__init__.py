"""The methods that score words: one method, one file; `table.METHODS` has one row for each.

To add a method: its file, one row in `table.py`, its tests. A function of one's own needs no row:
`explain(model, text, method=my_function)`.
"""

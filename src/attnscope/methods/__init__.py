"""The methods that score words: one file per method, and one row per method in `table.METHODS`.

To add a method, write its file, its row in `table.py` and its tests. A function of your own needs no row:
`explain(model, text, method=my_function)`.
"""

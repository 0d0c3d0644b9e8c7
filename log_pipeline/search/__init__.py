"""Finding stored lines again: the query language, its translations, time ranges and output.

Pure: nothing here opens a database or a connection; the adapters do.
"""

"""The nouns of linne: frozen records with their read, write and fingerprints.

Import them from their modules (``from linne.records.index import Index``): this package imports nothing,
so that a command that needs one record does not pay for all of them.
"""

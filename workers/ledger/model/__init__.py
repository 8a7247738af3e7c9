"""The glossary of the ledger: pure values, one file a word."""

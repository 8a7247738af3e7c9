"""The whole log of a run that says more than the ledger keeps: spooled here, in parts in S3."""

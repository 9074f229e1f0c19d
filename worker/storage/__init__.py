"""Objects of stores: s3://, gs://, az:// and hf:// through fsspec, read in bounds and written by one PUT."""

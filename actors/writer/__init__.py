"""The writer: rows in, Parquet files out, each row in exactly one of them."""

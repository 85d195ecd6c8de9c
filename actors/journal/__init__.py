"""The journal: what the captures read, numbered, on disk before anything else, and served again on demand."""

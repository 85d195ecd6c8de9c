"""Read all WebSocket traffic of the browser over CDP and hand it to the journal, numbered and redacted."""

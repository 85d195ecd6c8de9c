"""The actors: who does the work. One actor a file, or a folder where it is large; they share messages only."""

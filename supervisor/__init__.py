"""Who keeps the actors alive: settings, plan, process tree, command line. Imported by nobody but the entry point."""

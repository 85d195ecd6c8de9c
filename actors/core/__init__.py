"""What every actor stands on: messages, streams, bus, journal format, config, runtime, clock, log.

Knows nothing of the game.
"""

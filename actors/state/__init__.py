"""The state actor: events in, the live state of game and player out."""

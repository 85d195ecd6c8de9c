"""The control room: a Quart app that shows what the house does and lets a person act on it."""

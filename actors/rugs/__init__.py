"""What we know of the game rugs.fun, and nothing that acts: its packets, events, phases, fairness and buttons.

Everything below this folder is pure: values in, values out. No socket, no clock, no file, no log; so every rule of the
game can be tested in milliseconds and used by the recorder and by the simulator alike.
"""

"""A local rugs.fun: a page with the real buttons and a Socket.IO server that speaks the game's protocol.

The game is a pure engine (`game`, `orders` and what they stand on): told the time, it yields what is to be sent and how
long to wait. A thin shell (`server`, `actor`) gives it sockets and a clock. It also drives a recorded session through
the same server (`replay`) and makes load (`load`). Rounds come from real v3 seeds, so recorders can verify them.

Where the game's own payload is not known the simulator's is made up; where a choice of dates exists, it shows December
2025 (full frames with price series in the history) with the trades of February 2026 (shorts).
"""

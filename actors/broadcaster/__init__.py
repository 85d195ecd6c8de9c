"""The one door outwards: the WebSocket feed, the ZeroMQ sockets and the monitor pages, in one process."""

"""WebSocket for clients that are only written to: what they send is neither kept nor answered."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Each ping is answered by a pong; a client that reads none of them is not written to any more.
MAX_UNSENT_BYTES = 1_048_576


class OutgoingWebSocket(WebSocketsSansIOProtocol):
    """Drops messages as they come; closes the connection of who pings without reading."""

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Drop the message."""
        self.frames = []

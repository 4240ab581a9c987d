"""The open connections of this process: how many there may be, and how long each may stand still.

Who holds connections open without using them takes them from everyone else (RFC 9110 leaves the
limits to the server). Each is checked once a second instead of by timers of its own.
"""

import asyncio
import math
import resource
import socket
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address, IPv6Network

import structlog
from prometheus_client import Gauge

from chassis.process.metrics import count_refusal
from chassis.process.settings import Settings

CHECK_SECONDS = 1.0
# For MongoDB, Kafka, files and child processes.
RESERVED_DESCRIPTORS = 256
OPEN = Gauge("realtoros_connections", "Open HTTP connections, WebSockets included.")
# A peer that has vanished is noticed when it has acknowledged nothing for so long (RFC 5482).
UNACKNOWLEDGED_MS = 60_000

log = structlog.get_logger(__name__)


class Connection:
    """An open connection. `overdue` is called when its time is up."""

    __slots__ = ("_sent", "_since", "_unsent", "due", "network", "overdue", "transport")

    def __init__(
        self, transport: asyncio.Transport, network: str | None, overdue: Callable[[], None]
    ) -> None:
        self.transport = transport
        # None for a trusted proxy, behind which there are many.
        self.network = network
        self.overdue = overdue
        self.due = math.inf
        self._unsent = self._sent = 0
        self._since = asyncio.get_running_loop().time()

    def is_read_slowly(self, now: float, span: float, rate: float) -> bool:
        """Return whether the peer has read less than `rate` bytes a second for `span` seconds."""
        unsent = self.transport.get_write_buffer_size()
        self._sent += max(0, self._unsent - unsent)
        self._unsent = unsent
        if not unsent:
            self.was_read(now)
        if now < self._since + span:
            return False
        slow = self._sent < rate * span
        self.was_read(now)
        return slow

    def postpone(self, seconds: float) -> None:
        """Allow for time in which this process did not run."""
        self.due += seconds
        self._since += seconds

    def was_read(self, now: float) -> None:
        """Begin another span: the peer has read what was sent, or much of it."""
        self._since, self._sent = now, 0


class Connections:
    """All open connections. At most `max_connections`; of one network, fewer.

    When there are too many, those that wait for their next request are closed, the longest waiting
    first; without any, the new one is refused.
    """

    def __init__(self, settings: Settings, is_proxy: Callable[[str], bool]) -> None:
        """`is_proxy`: whether an address is a trusted proxy's, with any number of connections."""
        self.span = settings.request_timeout_seconds
        self.rate = settings.min_bytes_per_second
        self._most = settings.max_connections
        self._most_of_network = settings.max_connections_per_address
        self._is_proxy = is_proxy
        self._open: dict[asyncio.Transport, Connection] = {}
        self._networks: dict[str, set[Connection]] = {}
        self._idle: dict[Connection, None] = {}
        self._checking = False
        self._checked_at = 0.0

    def start(self) -> None:
        """Provide the descriptors; with too few of them, fewer connections are allowed."""
        available = provide_descriptors(self._most + RESERVED_DESCRIPTORS) - RESERVED_DESCRIPTORS
        if available < self._most:
            self._most = max(available, 1)
            log.warning("fewer_connections_allowed", max_connections=self._most)

    def open(
        self, transport: asyncio.Transport, host: str, overdue: Callable[[], None]
    ) -> Connection | None:
        """Admit a connection, or return None: there are too many."""
        network = None if self._is_proxy(host) else network_of(host)
        others = self._networks.get(network, set()) if network else set()
        if len(others) >= self._most_of_network and not self._close_idle(others):
            count_refusal("connections_of_address")
            return None
        if len(self._open) >= self._most and not self._close_idle(None):
            count_refusal("connections")
            return None
        connection = self._open[transport] = Connection(transport, network, overdue)
        OPEN.inc()
        if network:
            self._networks.setdefault(network, set()).add(connection)
        _notice_vanished_peer(transport)
        if not self._checking:
            self._checking = True
            self._check_later(asyncio.get_running_loop())
        return connection

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        if self._open.pop(connection.transport, None) is None:
            return
        OPEN.dec()
        self._idle.pop(connection, None)
        if connection.network:
            others = self._networks[connection.network]
            others.discard(connection)
            if not others:
                del self._networks[connection.network]

    def idle(self, connection: Connection) -> None:
        """Note that the connection waits for its next request."""
        if connection.transport in self._open:
            self._idle[connection] = None

    def busy(self, connection: Connection) -> None:
        """Note that a request has begun."""
        self._idle.pop(connection, None)

    def _close_idle(self, among: set[Connection] | None) -> bool:
        """Close the connection that has been idle for longest; return whether there was one."""
        for connection in self._idle:
            if among is None or connection in among:
                self.closed(connection)
                connection.transport.abort()
                return True
        return False

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        late = now - self._checked_at - CHECK_SECONDS
        for connection in list(self._open.values()):
            transport = connection.transport
            if late > CHECK_SECONDS:
                connection.postpone(late)
            if transport.is_closing() and not transport.get_write_buffer_size():
                # A WebSocket that has ended: its protocol is another one.
                self.closed(connection)
            elif connection.is_read_slowly(now, self.span, self.rate):
                count_refusal("slow_reader")
                transport.abort()
            elif connection.due <= now:
                connection.overdue()
        if self._open:
            self._check_later(loop)
        else:
            self._checking = False

    def _check_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._checked_at = loop.time()
        loop.call_later(CHECK_SECONDS, self._check)


def network_of(host: str) -> str:
    """Return the network that counts as one caller.

    Of an IPv6 address it is the /64: all its addresses belong to one subscriber.
    """
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


def provide_descriptors(wanted: int) -> int:
    """Raise the limit of open files as far as it may be raised, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def _notice_vanished_peer(transport: asyncio.Transport) -> None:
    peer: socket.socket | None = transport.get_extra_info("socket")
    if peer is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)

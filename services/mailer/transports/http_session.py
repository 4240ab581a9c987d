"""HTTP to one address: connections that cost little, by the proxy that the environment names."""

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

# Below the idle time of common servers (uvicorn closes after 5 s): a request that meets a
# connection just being closed has an unknown outcome, which costs a person's time.
_IDLE_SECONDS = 2.0
# aiohttp's own limit, 8 KiB, would turn an acceptance with a long header into a lost answer.
_HEADER_BYTES = 65_536
_SCHEMES = ("http", "https")


class HttpSession:
    """Posts to `url` with `headers`; has a connection after `connect_seconds`, or none.

    There are as many connections as calls: the caller limits those. It can be created outside of
    the event loop; the connections belong to the loop of the first call. Raises ValueError.
    """

    def __init__(self, url: str, headers: Mapping[str, str], connect_seconds: float) -> None:
        self._url = URL(url)
        if self._url.scheme not in _SCHEMES or not self._url.host or self._url.user:
            raise ValueError("not an http(s) address, or one with a login")
        self._headers = headers
        self._connect_seconds = connect_seconds
        # aiohttp's `trust_env` reads files at each call, and a login in ~/.netrc breaks each.
        self._proxy = _proxy_of(self._url)
        # Reads files, so not in the event loop.
        self._tls = ssl.create_default_context()
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: Any) -> aiohttp.ClientResponse:
        """Post `body` as JSON, once; return the response when its head is there.

        No redirect is followed: it would take personal data to an address that is not in the
        settings. Raises aiohttp.ClientError.
        """
        if self._session is None:
            self._session = self._open()
        # Headers of a session go to the proxy, too, and an Authorization as its login.
        return await self._session.post(
            self._url, json=body, headers=self._headers, allow_redirects=False
        )

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS, ssl=self._tls),
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(connect=self._connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _proxy_of(url: URL) -> URL | None:
    """Return what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say of this address."""
    named = getproxies()
    address = named.get(url.scheme) or named.get("all")
    if not address or proxy_bypass(url.host_port_subcomponent or ""):
        return None
    proxy = URL(address if "://" in address else f"http://{address}")
    if proxy.scheme not in _SCHEMES:
        raise ValueError("the proxy of the environment is not an http(s) proxy")
    return proxy

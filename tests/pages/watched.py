"""Browsers whose pages are watched: what no page may do is found on all of them."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Request, WebError

# Told by the page itself: not every violation is on its console.
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  tellViolation(`${event.effectiveDirective} blocks ${event.blockedURI} ${event.sample}`));
"""
_OF_NO_HOST = ("about", "blob", "data")


@contextlib.asynccontextmanager
async def watched(
    browser: Browser, url: str, violations: list[str], **options: Any
) -> AsyncIterator[BrowserContext]:
    """Open a browser of its own, without cookies, at the address; `options` are Playwright's.

    `violations` gets what its pages may not do: break their content security policy, leave an error
    uncaught, ask another host.
    """
    async with await browser.new_context(base_url=url, **options) as context:
        host = urlsplit(url).netloc

        def on_console(message: ConsoleMessage) -> None:
            if "Content Security Policy" in message.text:
                violations.append(f"policy: {message.text}")

        def on_error(error: WebError) -> None:
            violations.append(f"uncaught: {error.error.stack or error.error.message}")

        def on_request(request: Request) -> None:
            asked = urlsplit(request.url)
            if asked.netloc != host and asked.scheme not in _OF_NO_HOST:
                violations.append(f"another host: {request.url}")

        context.on("console", on_console)
        context.on("weberror", on_error)
        context.on("request", on_request)
        await context.expose_function(
            "tellViolation", lambda text: violations.append(f"policy: {text}")
        )
        await context.add_init_script(_TELL_VIOLATIONS)
        yield context

"""A page with one button, without scripts, for a link that is opened from an email.

Opening it changes nothing, since mail scanners open links, too; the button does.
"""

from html import escape

from litestar import Response
from litestar.status_codes import HTTP_200_OK

from services.gateway.http.pages.page import html_page

# Without an action the form is posted to the page's own address.
_BUTTON = '\n<form method="post"><p><button>{}</button></p></form>'


def button_page(
    title: str, text: str, button: str | None = None, status: int = HTTP_200_OK
) -> Response[str]:
    """Return the page; without `button` it only tells."""
    form = _BUTTON.format(escape(button)) if button else ""
    return html_page(title, f"<p>{escape(text)}</p>{form}", status)

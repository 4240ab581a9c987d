"""A page with one button, without scripts and styles, for a link that is opened from an email.

Opening it changes nothing, since mail scanners open links, too; the button does.
"""

from html import escape

from litestar import MediaType, Response
from litestar.status_codes import HTTP_200_OK

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title}</title>
</head>
<body><h1>{title}</h1>
<p>{text}</p>
{button}</body>
</html>
"""
# Without an action the form is posted to the page's own address.
_BUTTON = '<form method="post"><p><button>{}</button></p></form>\n'


def button_page(
    title: str, text: str, button: str | None = None, status: int = HTTP_200_OK
) -> Response[str]:
    """Return the page; without `button` it only tells."""
    page = _PAGE.format(
        title=escape(title),
        text=escape(text),
        button=_BUTTON.format(escape(button)) if button else "",
    )
    return Response(page, media_type=MediaType.HTML, status_code=status)

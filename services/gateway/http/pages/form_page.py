"""A page with one form, without scripts and styles: for a link that is opened from an email.

Opening it changes nothing, since mail scanners open links, too; submitting the form does.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

from litestar import MediaType, Request, Response
from litestar.enums import RequestEncodingType
from litestar.status_codes import HTTP_200_OK

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body><h1>{title}</h1>
{content}
</body>
</html>
"""
_FORM = """\
<form method="post" action="{action}">
<input type="hidden" name="token" value="{token}">
<p><label>{label}<br>
<input type="password" name="{field}" autocomplete="{autocomplete}" maxlength="200" required>
</label></p>
{more}<p><button>{button}</button></p>
</form>"""
_CHECKBOX = '<p><label><input type="checkbox" name="{}" value="true"> {}</label></p>\n'


@dataclass(frozen=True)
class FormPage:
    """The texts of a page. `action` is its own path; `field` the password's name in the form."""

    action: str
    title: str
    field: str
    label: str
    autocomplete: str
    button: str
    done: str
    checkbox: tuple[str, str] | None = None

    def form(
        self, token: str, error: str | None = None, status: int = HTTP_200_OK
    ) -> Response[str]:
        """Return the page with its form, and with what was wrong with the last submission."""
        more = _CHECKBOX.format(*map(escape, self.checkbox)) if self.checkbox else ""
        form = _FORM.format(
            action=escape(self.action),
            token=escape(token),
            label=escape(self.label),
            field=escape(self.field),
            autocomplete=escape(self.autocomplete),
            more=more,
            button=escape(self.button),
        )
        return self._page(f"{_paragraph(error)}\n{form}" if error else form, status)

    def result(self) -> Response[str]:
        """Return the page that says that it is done."""
        return self._page(_paragraph(self.done), HTTP_200_OK)

    def _page(self, content: str, status: int) -> Response[str]:
        page = _PAGE.format(title=escape(self.title), content=content)
        return Response(page, media_type=MediaType.HTML, status_code=status)


async def submitted(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the fields of a submitted form; none where the body is anything else."""
    if request.content_type[0] != RequestEncodingType.URL_ENCODED:
        return {}
    return {name: str(value) for name, value in (await request.form()).items()}


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"

"""A page with one form, without scripts: for a link that is opened from an email.

Opening it changes nothing, since mail scanners open links, too; submitting the form does.
"""

from dataclasses import dataclass
from html import escape
from typing import Any

from litestar import Request, Response
from litestar.enums import RequestEncodingType
from litestar.status_codes import HTTP_200_OK

from services.gateway.http.pages.page import html_page

_FORM = """\
<form method="post" action="{action}">
<input type="hidden" name="token" value="{token}">
<p><label>{label}<br>
<input type="password" name="{field}" autocomplete="{autocomplete}" maxlength="200" required>
</label></p>
{more}<p><button>{button}</button></p>
</form>"""
# For agents: clients know nobody of this name.
_HEADER = "<header>RealtorOS</header>\n"
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
        wrong = f'<p role="alert">{escape(error)}</p>\n' if error else ""
        return html_page(self.title, f"{wrong}{form}", status, header=_HEADER)

    def result(self) -> Response[str]:
        """Return the page that says that it is done."""
        return html_page(self.title, f"<p>{escape(self.done)}</p>", HTTP_200_OK, header=_HEADER)


async def submitted(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the fields of a submitted form; none where the body is anything else."""
    if request.content_type[0] != RequestEncodingType.URL_ENCODED:
        return {}
    return {name: str(value) for name, value in (await request.form()).items()}

"""How the API describes itself: OpenAPI 3.1."""

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

_TAGS = {
    "auth": "Log in, refresh, log out.",
    "agents": "The calling agent's profile.",
    "keys": "API keys for integrators.",
    "clients": "Clients of the agent.",
    "tasks": "Follow-ups.",
    "emails": "Emails and what became of them.",
    "commands": "What became of a write that was answered with 202.",
    "admin": "What admins see and do.",
    "webhooks": "What the mail provider reports.",
}


def described() -> OpenAPIConfig:
    """Give what is said of the API as a whole."""
    return OpenAPIConfig(
        title="RealtorOS",
        version="0.1.0",
        description="Follows up with a realtor's clients by email. Errors are RFC 9457 problems.",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path="/")],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="An access token of /api/auth/login, or an API key.",
                )
            }
        ),
        security=[{"bearer": []}],
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        create_examples=False,
    )

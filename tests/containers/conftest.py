"""docker-compose.yml, running."""

from collections.abc import Iterator

import pytest

from tests.containers.compose import Compose, running


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The whole system."""
    with running(tmp_path_factory.mktemp("compose") / "secrets") as compose:
        yield compose

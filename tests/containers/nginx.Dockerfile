FROM localhost/servers
RUN useradd --uid 101 nginx || true

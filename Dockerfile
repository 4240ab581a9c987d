# One image per service, and `ops` for the commands (ADR 25): SERVICE says which.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG SERVICE
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/venv
COPY locks/${SERVICE}.txt /src/lock.txt
# The registry, if it is not the public one, is named by a pip.conf that stays outside.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/pip/bin/pip --python /opt/venv/bin/python install --no-cache-dir \
    --disable-pip-version-check --no-compile --require-hashes --only-binary :all: -r /src/lock.txt
COPY pyproject.toml /src/
COPY contracts /src/contracts
COPY chassis /src/chassis
COPY services /src/services
COPY ops /src/ops
COPY deploy/containers/install.sh /src/
RUN sh /src/install.sh "${SERVICE}" /src /opt/venv

# The dashboard's pages, the same for every installation (ADR 39).
FROM ${BASE_IMAGE} AS pages
RUN python3 -m venv /opt/node
COPY locks/node.txt /src/lock.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/node/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile \
    --require-hashes --only-binary :all: -r /src/lock.txt
ENV PATH=/opt/node/bin:$PATH \
    NODE_USE_SYSTEM_CA=1
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN --mount=type=secret,id=npm,target=/root/.npmrc npm ci --no-audit --no-fund
COPY docs/openapi.json /src/docs/
COPY frontend ./
RUN npm run build

FROM ${BASE_IMAGE} AS service
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="realtoros-${SERVICE}" \
      org.opencontainers.image.description="RealtorOS: ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Nothing is installed in a container: the base's own pip goes, too.
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/bin/pip* \
    /usr/lib/python3*/ensurepip /usr/local/lib/python3*/ensurepip /usr/share/python-wheels
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    HEALTH_PORT=8080 \
    GATEWAY_PORT=8080 \
    METRICS_PORT=9100
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080 9100
ENTRYPOINT ["realtoros"]

FROM service AS gateway
COPY --from=pages /src/frontend/out /opt/pages
ENV PAGES_DIR=/opt/pages

# What is built where no target is named.
FROM service

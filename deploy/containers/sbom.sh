#!/usr/bin/env bash
# Lists the Python packages of each image, by what is in it: a CycloneDX bill of materials and a
# table of licences, in .cache/sbom. Debian's packages are in the base's own lists.
set -euo pipefail
cd "$(dirname "$0")/../.."
engine=podman
docker info >/dev/null 2>&1 && engine=docker
tools=.cache/containers/venv/bin
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p .cache/sbom

for name in crm scheduler composer mailer gateway ops; do
  # The packages in an environment of this machine, whose Python can be asked for them.
  "$tools/python" -m venv --without-pip "$work/$name"
  packages=$(echo "$work/$name"/lib/python3*/site-packages)
  container=$($engine create "localhost/realtoros-$name:$version")
  $engine cp "$container:/opt/venv/lib/python3.11/site-packages/." "$packages/"
  $engine rm "$container" >/dev/null
  "$tools/cyclonedx-py" environment --output-reproducible --output-file \
    ".cache/sbom/realtoros-$name.cdx.json" "$work/$name/bin/python"
  "$tools/pip-licenses" --python "$work/$name/bin/python" --with-system --format markdown \
    --order license --output-file ".cache/sbom/realtoros-$name.licences.md" >/dev/null
done
ls -1 .cache/sbom

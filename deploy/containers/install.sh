#!/bin/sh
# Puts the code of one service (or all of it, for ops) from a folder into a virtual environment,
# and what starts it there: `install.sh SERVICE SOURCE VENV`.
set -eu
service=$1 source=$2 venv=$3
packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

cp -r "$source/contracts" "$source/chassis" "$packages/"
if [ "$service" = ops ]; then
  cp -r "$source/services" "$source/ops" "$packages/"
  module=ops.cli
else
  mkdir "$packages/services"
  cp -r "$source/services/__init__.py" "$source/services/$service" "$packages/services/"
  module=services.$service.main
fi
# What pip would write of it, and lists of packages read.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")
mkdir "$packages/realtoros-$version.dist-info"
printf 'Metadata-Version: 2.1\nName: realtoros\nVersion: %s\n' "$version" \
  > "$packages/realtoros-$version.dist-info/METADATA"
# exec: SIGTERM has to reach Python itself. -P: a module in the working folder shadows nothing.
printf '#!/bin/sh\nexec python -P -m %s "$@"\n' "$module" > "$venv/bin/realtoros"
chmod 755 "$venv/bin/realtoros"
# The root is read-only there, so each start would compile everything again.
"$venv/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$packages"

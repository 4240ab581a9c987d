#!/usr/bin/env bash
# Builds tools from the Go module proxy into .cache/cluster, each once per version: build.sh TOOL …
# (kubernetes, etcd, kwok, helm, helm-unittest, crds). Kubernetes takes eight minutes of two cores
# and 3 GB; JOBS limits how many packages are compiled at once.
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
CACHE=$(cd ../../.. && pwd)/.cache/cluster
. ./versions.sh
command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or newer"; exit 1; }
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -p=${JOBS:-$(nproc)}"
mkdir -p "$CACHE/bin"

# The version of a module that a tool's go.mod requires, without the v.
version() { sed -nE "s#^(require )?\\s*$2 v([0-9.]+).*#\\2#p" "$HERE/$1/go.mod"; }

# Fails when the tool is there in this version.
begin() {
  [ "$(cat "$CACHE/$1.version" 2>/dev/null)" != "$2" ] || return 1
  echo "Building $1 $2 …"
  SECONDS=0
}
end() { echo "$2" >"$CACHE/$1.version"; echo "$1 $2 took ${SECONDS} s"; }

kubernetes() {
  local v x=k8s.io/component-base/version
  v=$(version kubernetes k8s.io/kubernetes)
  begin kubernetes "$v" || return 0
  # Without a version the server calls itself v0.0.0-master, which no client can parse.
  (cd kubernetes && go build -mod=readonly -o "$CACHE/bin/" -ldflags "-s -w -X $x.gitVersion=v$v \
    -X $x.gitMajor=1 -X $x.gitMinor=$(cut -d. -f2 <<<"$v")" \
    k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl})
  end kubernetes "$v"
}

etcd() {
  local v; v=$(version etcd go.etcd.io/etcd/server/v3)
  begin etcd "$v" || return 0
  (cd etcd && go build -mod=readonly -ldflags "-s -w" -o "$CACHE/bin/etcd" go.etcd.io/etcd/server/v3)
  end etcd "$v"
}

kwok() {
  begin kwok "$KWOK" || return 0
  GOBIN=$CACHE/bin go install -ldflags "-s -w" "sigs.k8s.io/kwok/cmd/kwok@v$KWOK"
  # What its nodes and pods do is in files of the module.
  rm -rf "$CACHE/stages"
  cp -r "$(module sigs.k8s.io/kwok "$KWOK")/kustomize/stage" "$CACHE/stages"
  chmod -R u+w "$CACHE/stages"
  end kwok "$KWOK"
}

helm() {
  begin helm "$HELM" || return 0
  local x=helm.sh/helm/v3/pkg/chartutil
  GOBIN=$CACHE/bin go install -ldflags "-s -w -X $x.k8sVersionMajor=1 -X $x.k8sVersionMinor=36 \
    -X helm.sh/helm/v3/internal/version.version=v$HELM" "helm.sh/helm/v3/cmd/helm@v$HELM"
  end helm "$HELM"
}

helm-unittest() {
  local v; v=$(version helm-unittest github.com/helm-unittest/helm-unittest)
  begin helm-unittest "$v" || return 0
  (cd helm-unittest && go build -mod=readonly -ldflags "-s -w" -o "$CACHE/bin/helm-unittest" \
    github.com/helm-unittest/helm-unittest/cmd/helm-unittest)
  end helm-unittest "$v"
}

crds() {
  local key; key=$(sha256sum <<<"$CRDS" | cut -c1-12)
  begin crds "$key" || return 0
  rm -rf "$CACHE/crds"
  mkdir "$CACHE/crds"
  while read -r path v file; do
    [ -z "$path" ] || install -m 644 "$(module "$path" "$v")/$file" "$CACHE/crds/"
  done <<<"$CRDS"
  end crds "$key"
}

# Downloads a module and prints its folder.
module() { (cd / && go mod download -json "$1@v$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'); }

for tool in "$@"; do "$tool"; done

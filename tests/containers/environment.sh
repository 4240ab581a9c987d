# Sourced by `make containers-test`: podman as it runs where root has no CAP_SYS_RESOURCE, no
# systemd and no unified cgroups, with images and containers of its own in .cache/containers.
cache=$PWD/.cache/containers
mkdir -p "$cache"
export CONTAINERS_CONF=$cache/containers.conf CONTAINERS_STORAGE_CONF=$cache/storage.conf
export CERTIFICATES=/etc/ssl/certs
[ ! -f /etc/pip.conf ] || export PIP_CONFIG=/etc/pip.conf
[ ! -f ~/.npmrc ] || export NPM_CONFIG=~/.npmrc
cat > "$CONTAINERS_CONF" <<CONF
[engine]
runtime = "runc-nolimits"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$cache/engine/tmp"
volume_path = "$cache/volumes"
[engine.runtimes]
runc-nolimits = ["$PWD/tests/containers/runc-nolimits"]
[network]
network_backend = "netavark"
network_config_dir = "$cache/networks"
CONF
cat > "$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "overlay"
graphroot = "$cache/images"
runroot = "$cache/run"
CONF

# Sourced by `make containers-test`: podman as it runs where root has no CAP_SYS_RESOURCE, no
# systemd and no unified cgroups, and where images are built from.
export CONTAINERS_CONF=$PWD/.cache/containers/containers.conf CERTIFICATES=/etc/ssl/certs
[ ! -f /etc/pip.conf ] || export PIP_CONFIG=/etc/pip.conf
cat > "$CONTAINERS_CONF" <<CONF
[engine]
runtime = "runc-nolimits"
cgroup_manager = "cgroupfs"
events_logger = "file"
[engine.runtimes]
runc-nolimits = ["$PWD/tests/containers/runc-nolimits"]
[network]
network_backend = "netavark"
CONF

"""The images and docker-compose.yml, run by podman; `make containers-test`."""

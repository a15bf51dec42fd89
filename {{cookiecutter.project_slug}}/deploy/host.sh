#!/usr/bin/env bash
# Run the image of `make image` on another machine with Compose:
#     deploy/host.sh ssh://deploy@example.com VERSION
# The machine needs Docker, and no registry: the image is copied to it. Variables for compose.yaml,
# such as PORT, come from the environment here; ENVIRONMENT is production by default.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "$1" >&2; exit 1; }
[ $# = 2 ] && [ -n "$1" ] && [ -n "$2" ] || fail "Say where to run which version: deploy/host.sh ssh://deploy@example.com VERSION"
case $1 in
  ssh://* | tcp://* | unix://*) ;;
  *) fail "The host needs a scheme: ssh://$1" ;;
esac
name={{ cookiecutter.project_slug }}
docker image inspect "$name:latest" > /dev/null 2>&1 || fail "There is no image $name:latest: run make image"

export VERSION=$2 ENVIRONMENT=${ENVIRONMENT:-production}
docker tag "$name:latest" "$name:$VERSION"
docker save "$name:$VERSION" | docker --host "$1" load --quiet
# The containers before it serve until the migration has ended; if it fails, they continue to.
docker --host "$1" compose run --rm migration
docker --host "$1" compose up --detach --wait --no-build --remove-orphans

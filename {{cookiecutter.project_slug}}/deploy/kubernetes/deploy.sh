#!/usr/bin/env bash
# Migrate the database, deploy an image, and wait until it serves requests:
#   deploy/kubernetes/deploy.sh production registry.example.com/team/service@sha256:...
# A tag instead of the digest must not move. kubectl must know the cluster.
set -euo pipefail
cd "$(dirname "$0")"

fail() { echo "$1" >&2; exit 1; }
[ $# = 2 ] || fail "Say where to deploy what: deploy.sh staging|production IMAGE"
environment=$1 image=$2
case $environment in
  staging | production) ;;
  *) fail "There is no environment $environment: use staging or production." ;;
esac
case ${image##*/} in
  ?*@sha256:?*) source="newName: \"${image%@*}\", digest: \"${image#*@}\"" ;;
  ?*:latest) fail "The tag latest moves, so no release could be rolled back: use another, or a digest." ;;
  ?*:?*) source="newName: \"${image%:*}\", newTag: \"${image##*:}\"" ;;
  *) fail "$image has no tag and no digest: use an image such as registry.example.com/team/service:1.0" ;;
esac

# An environment of its own beside the others, with the image of this release.
release=$(mktemp -d ./release.XXXXXX)
trap 'rm -rf "$release"' EXIT
cat > "$release/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../$environment]
images: [{name: service, $source}]
END
kubectl kustomize "$release" > "$release/all.yaml"

name="{{ cookiecutter.project_slug }}"
cluster() { kubectl --namespace "$name-$environment" "$@"; }
# {% if cookiecutter.database == "postgresql" %}
migration="job/$name-migration"
ended() { cluster get "$migration" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}'; }

# A Job cannot be changed, so the one of the last release goes. The pods do not change yet.
cluster delete "$migration" --ignore-not-found
kubectl apply --filename "$release/all.yaml" --selector 'app.kubernetes.io/component notin (web, worker)'
echo "waiting for $migration"
until [[ $(ended) =~ Complete|Failed ]]; do
  [ "$SECONDS" -lt 900 ] || fail "The migration has not ended in 15 minutes: see kubectl describe $migration."
  sleep 1
done
if [[ $(ended) =~ Failed ]]; then
  cluster logs "$migration" --tail 20 >&2 || true
  fail "The migration failed, so nothing else was deployed. Above is the end of its log."
fi
# {% endif %}

kubectl apply --filename "$release/all.yaml"
cluster rollout status "deployment/$name"
# {% if cookiecutter.job_queue == "procrastinate" %}
cluster rollout status "deployment/$name-worker"
# {% endif %}

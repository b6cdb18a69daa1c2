#!/bin/sh
# Renders every cluster of this repository; with --check, says which is not current.
set -e
cd "$(dirname "$0")"

render() {
  cluster=$1 tool=$2
  shift 2
  ${KSERVE_LITE:-kserve-lite} manifests -f values/platform.yaml \
    --team fraud=values/fraud.yaml --team ads=values/ads.yaml \
    --gitops "$tool" --repository https://git.example.com/fleet.git --path "clusters/$cluster" \
    -o "clusters/$cluster" "$@"
}

render prod argocd "$@"
render edge flux "$@"

#!/usr/bin/env bash
# Start the server in this very process, so that signals reach it.
# APP_MODULE, HOST, PORT and the other settings come from the environment and from .env.
set -euo pipefail
cd "$(dirname "$0")"

exec python -m app.serve

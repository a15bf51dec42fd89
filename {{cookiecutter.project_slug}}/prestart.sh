#!/usr/bin/env bash
# Prepare the database; if a step fails, so does this.
set -euo pipefail
cd "$(dirname "$0")"

python -m app.backend_pre_start
python -m alembic upgrade heads
python -m app.initial_data

#!/usr/bin/env bash
# Write all data to a new folder in backups/, while the service runs: `make backup`.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra compose <<< "${COMPOSE:-docker compose}"

folder=backups/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p backups
unfinished=$(mktemp -d backups/.unfinished.XXXXXX)
trap 'rm -rf "$unfinished"' EXIT

# {% if cookiecutter.database == "postgresql" %}
"${compose[@]}" exec -T db pg_dump --username app --format custom app \
  < /dev/null > "$unfinished/database.dump"
# {% else %}
"${compose[@]}" exec -T service python -c '
import os, shutil, sqlite3, sys

copy = "/data/backup.unfinished"
if os.path.exists(copy):
    os.remove(copy)
sqlite3.connect("/data/app.db").execute("VACUUM INTO ?", [copy])
with open(copy, "rb") as file:
    os.remove(copy)
    shutil.copyfileobj(file, sys.stdout.buffer)
' < /dev/null > "$unfinished/database.db"
# {% endif %}
# {% if cookiecutter.job_queue != "none" %}
# tar ends with 1 if files came or went meanwhile; the service replaces files, so each one is whole.
"${compose[@]}" exec -T service sh -c '
# {% if cookiecutter.database == "sqlite" %}
tar --create --directory /data --exclude "./app.db*" --exclude "./before_*" . || [ $? = 1 ]
# {% else %}
tar --create --directory /data --exclude "./before_*" . || [ $? = 1 ]
# {% endif %}
' < /dev/null > "$unfinished/files.tar"
# {% endif %}

mv "$unfinished" "$folder"
echo "Written: $folder"

#!/usr/bin/env bash
# Put a backup in the place of the current data, which are kept under another name:
# `make restore from=backups/20261201T060000Z`.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra compose <<< "${COMPOSE:-docker compose}"
from=${1:-}
before=before_$(date -u +%Y%m%dt%H%M%Sz)

# {% if cookiecutter.database == "postgresql" %}
dump=$from/database.dump
# {% else %}
dump=$from/database.db
# {% endif %}
if [ -z "$from" ] || [ ! -f "$dump" ]; then
  echo "Name a backup: make restore from=backups/20261201T060000Z (no file $dump)." >&2
  exit 1
fi
# {% if cookiecutter.job_queue != "none" %}
tar --list --file "$from/files.tar" > /dev/null
# {% endif %}

# {% if cookiecutter.database == "postgresql" %}
"${compose[@]}" up --detach db
in_db() { "${compose[@]}" exec -T db "$@"; }
for _ in $(seq 60); do
  in_db pg_isready --quiet --host 127.0.0.1 --username app < /dev/null && break
  sleep 1
done

# A failure from here on changes nothing.
in_db dropdb --username app --if-exists restored < /dev/null
in_db createdb --username app restored < /dev/null
if ! in_db pg_restore --username app --dbname restored --no-owner --exit-on-error --single-transaction < "$dump"; then
  in_db dropdb --username app restored < /dev/null
  echo "The backup could not be read; nothing has changed." >&2
  exit 1
fi

# Starts the service again, also after a failure; it migrates the data of an older release.
trap '"${compose[@]}" up --detach' EXIT
"${compose[@]}" stop service{{ ' worker' if cookiecutter.job_queue == 'procrastinate' else '' }}
# Both names change, or neither does.
in_db psql --username app --dbname postgres --quiet --set ON_ERROR_STOP=1 --single-transaction \
  --command "ALTER DATABASE app RENAME TO app_$before" \
  --command 'ALTER DATABASE restored RENAME TO app' < /dev/null
# {% else %}
data() { "${compose[@]}" run --rm -T --no-deps migration python -c "$@"; }
# A failure from here on changes nothing.
data '
import os, shutil, sqlite3, sys

copy = "/data/restored.db"
with open(copy, "wb") as file:
    shutil.copyfileobj(sys.stdin.buffer, file)
try:
    (result,) = sqlite3.connect(copy).execute("PRAGMA integrity_check").fetchone()
except sqlite3.DatabaseError as error:
    result = error
if result != "ok":
    os.remove(copy)
    sys.exit(f"The backup could not be read ({result}); nothing has changed.")
' < "$dump"

# Starts the service again, also after a failure; it migrates the data of an older release.
trap '"${compose[@]}" up --detach' EXIT
"${compose[@]}" stop service
data '
import os, sqlite3, sys

if os.path.exists("/data/app.db"):
    current = sqlite3.connect("/data/app.db")
    current.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    current.close()
    os.mkdir(f"/data/{sys.argv[1]}")
    os.rename("/data/app.db", f"/data/{sys.argv[1]}/app.db")
os.rename("/data/restored.db", "/data/app.db")
' "$before" < /dev/null
# {% endif %}
# {% if cookiecutter.job_queue != "none" %}
# shellcheck disable=SC2016 # the shell in the container expands $1
"${compose[@]}" run --rm -T --no-deps migration sh -euc '
  mkdir -p "/data/$1"
# {% if cookiecutter.database == "sqlite" %}
  find /data -mindepth 1 -maxdepth 1 ! -name "app.db*" ! -name "before_*" -exec mv -t "/data/$1" {} +
# {% else %}
  find /data -mindepth 1 -maxdepth 1 ! -name "before_*" -exec mv -t "/data/$1" {} +
# {% endif %}
  tar --extract --directory /data
' sh "$before" < "$from/files.tar"
# {% endif %}
# {% if cookiecutter.database == "postgresql" %}
echo "Restored: $from. The database before it is kept: app_$before."
# {% else %}
echo "Restored: $from. The data before it are kept: /data/$before."
# {% endif %}

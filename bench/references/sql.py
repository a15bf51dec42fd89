"""The three statements of the references that have no ORM."""

COLUMNS = "id, label, source, url, submitter_id"
GET = f"SELECT {COLUMNS} FROM recipe WHERE id = $1"
LIST = f"SELECT {COLUMNS} FROM recipe ORDER BY id LIMIT $1"
CREATE = f"""
INSERT INTO recipe (label, source, url, submitter_id) VALUES ($1, $2, $3, $4) RETURNING {COLUMNS}
"""

"""Import every model, so that ``Base.metadata`` is complete for Alembic."""

from app.db.base_class import Base
# {% if cookiecutter.job_queue != "none" %}
from app.kit.jobs.models import Job, JobCheckpoint
# {% endif %}
# {% if cookiecutter.telemetry and cookiecutter.job_queue != "none" %}
from app.kit.telemetry.models import JobTrace
# {% endif %}
# {% if cookiecutter.auth %}
from app.models.credential import Credential
# {% endif %}
from app.models.recipe import Recipe  # example
# {% if cookiecutter.auth %}
from app.models.session import Session
# {% endif %}
from app.models.user import User

__all__ = [
    "Base",
    # {% if cookiecutter.auth %}
    "Credential",
    # {% endif %}
    # {% if cookiecutter.job_queue != "none" %}
    "Job",
    "JobCheckpoint",
    # {% endif %}
    # {% if cookiecutter.telemetry and cookiecutter.job_queue != "none" %}
    "JobTrace",
    # {% endif %}
    "Recipe",  # example
    # {% if cookiecutter.auth %}
    "Session",
    # {% endif %}
    "User",
]

"""Upload a photo of a recipe, and read the job that handles it."""

from io import BytesIO

from client import AuthenticatedClient, Client
from client.api.jobs import read_job
from client.api.recipes import upload_photo
from client.models import BodyUploadPhoto, JobAccepted, JobRead
from client.types import File

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d4944415478da636460f85f0f0002870180eb47ba920000000049454e44ae426082"
)


def upload(client: AuthenticatedClient | Client, id: int) -> None:
    """Raise ``AssertionError`` unless the service accepts the photo."""
    photo = BodyUploadPhoto(photo=File(BytesIO(PNG), "soup.png", "image/png"))
    accepted = upload_photo.sync(id, client=client, body=photo)
    assert isinstance(accepted, JobAccepted), accepted
    assert isinstance(read_job.sync(accepted.id, client=client), JobRead)

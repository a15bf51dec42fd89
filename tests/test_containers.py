"""The Dockerfile and compose.yaml of every combination, without an engine; tests/deployment runs some."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.combinations import CROSSED, Combination
from tests.programs import run
from tests.trees import texts

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}\b")
STOP_SECONDS = re.compile(r"^LONGEST_STOP_SECONDS = (\d+)$", re.MULTILINE)
STOPPED_BY_SIGTERM = ("service", "worker")


@cache
def written(folder: Path, path: str) -> list[Path]:
    """Write each distinct text of a file of the services into the folder."""
    different = {texts(combination).get(path) for combination in CROSSED} - {None}
    files = [folder / f"{number}-{path}" for number in range(len(different))]
    for file, text in zip(files, sorted(filter(None, different)), strict=True):
        file.write_text(text, "utf-8")
    return files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("containers")


def services(file: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(file.read_text("utf-8"))["services"]


def test_hadolint_finds_nothing(folder: Path) -> None:
    files = written(folder, "Dockerfile")
    assert len(files) > 3
    run("hadolint", *files, cwd=folder)
    planted = folder / "planted"
    planted.write_text("FROM debian:latest\nRUN cd /tmp\n", "utf-8")
    with pytest.raises(pytest.fail.Exception, match="DL3007"):
        run("hadolint", planted, cwd=folder)


def test_compose_files_fit_the_schema(folder: Path) -> None:
    files = written(folder, "compose.yaml")
    assert len(files) > 7
    schema = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")
    run(*schema, *files, cwd=folder)


def test_base_images_are_fixed(folder: Path) -> None:
    for file in written(folder, "Dockerfile"):
        images = re.findall(r"^ARG \w+_IMAGE=(.*)$", file.read_text("utf-8"), re.MULTILINE)
        assert images
        assert all(map(DIGEST.search, images))
        stages = re.findall(r"^FROM (\S+)", file.read_text("utf-8"), re.MULTILINE)
        assert all(stage.startswith("${") for stage in stages)
    for file in written(folder, "compose.yaml"):
        images = [service["image"] for service in services(file).values() if "build" not in service]
        assert all(map(DIGEST.search, images))


def test_every_service_is_restricted(folder: Path) -> None:
    for file in written(folder, "compose.yaml"):
        for name, service in services(file).items():
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert not service.get("privileged"), name
            assert service["networks"] == ["internal"] or name in STOPPED_BY_SIGTERM, name
            published = service.get("ports", [])
            assert all(port.startswith("127.0.0.1:") for port in published), name


@pytest.mark.parametrize("combination", CROSSED[:1], ids=str)
def test_containers_get_the_time_to_stop(combination: Combination, folder: Path) -> None:
    (longest,) = STOP_SECONDS.findall(texts(combination)["app/kit/server/settings.py"])
    for file in written(folder, "compose.yaml"):
        for name, service in services(file).items():
            if name in STOPPED_BY_SIGTERM:
                assert int(service["stop_grace_period"].removesuffix("s")) > int(longest)

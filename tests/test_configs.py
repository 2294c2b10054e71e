"""The recipes in configs/, as they are shipped."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parent.parent / "configs"


def test_the_smoke_recipe_passes(cli: Callable) -> None:
    """CI can rely on its exit code, without data and without a network."""
    assert cli("train", "--config", CONFIGS / "smoke.toml", "--output", "smoke").code == 0
    assert cli("gradcheck", "smoke").code == 0


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_opens_with_its_command_and_is_understood(cli: Callable, path: Path, idx_folder: Path) -> None:
    """Its first lines say how to run it; each key is an option, each value of the right type."""
    text = path.read_text(encoding="utf-8")
    assert f"#   mnist-bp train --config configs/{path.name}\n" in text

    dataset = tomllib.loads(text)["dataset"]  # none leaves it open, so that MNIST is never replaced by other digits
    source = () if dataset == "synthetic" else ("--data-dir", idx_folder)
    quickly = ("--epochs", 1, "--limit", 20, "--hidden", 8, "--min-accuracy", 0, "--output", path.stem)
    assert cli("train", "--config", path, *source, *quickly).code == 0

"""The simulator on both databases with a fresh printed seed, and ten planted bugs, each found within a few steps."""

from __future__ import annotations

import shutil
from random import SystemRandom

import pytest
from sqlalchemy import event

from core.db import engine_for
from core.migrate import upgrade
from tests.property.pool_deed import Difference
from tests.property.pool_plants import PLANTS, planted
from tests.property.pool_province import found_province
from tests.property.pool_simulator import Simulator, relaxed, throwaway

STEPS = {"sqlite": 3000, "postgresql": 500}
PLANT_SEED, PLANT_STEPS = 3, 3000


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_service_does_what_the_model_does(kind):
    seed = SystemRandom().randrange(10**9)
    print(f"python -m tests.property.pool_simulator --steps {STEPS[kind]} --database {kind} --seed {seed}")
    with throwaway(kind) as engine:
        Simulator(engine, seed).run(STEPS[kind])


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """A province founded once, to be copied for every plant."""
    path = tmp_path_factory.mktemp("founded") / "pool.db"
    engine = engine_for(f"sqlite:///{path}")
    event.listen(engine, "connect", relaxed)
    upgrade(engine)
    province = found_province(engine, PLANT_SEED)
    engine.dispose()
    return path, province


def simulated(founded, tmp_path, plant: str | None) -> Simulator:
    """A run of PLANT_STEPS on a copy."""
    path, province = founded
    engine = engine_for(f"sqlite:///{shutil.copy(path, tmp_path / 'pool.db')}")
    event.listen(engine, "connect", relaxed)
    with planted(plant):
        try:
            simulator = Simulator(engine, PLANT_SEED, province)
            simulator.run(PLANT_STEPS)
        finally:
            engine.dispose()
    return simulator


def test_without_a_plant_the_same_steps_are_clean(founded, tmp_path):
    assert simulated(founded, tmp_path, None).step == PLANT_STEPS


@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_planted_bug_is_found(founded, tmp_path, plant):
    with pytest.raises(Difference):
        simulated(founded, tmp_path, plant)

"""Known bugs."""
from contextlib import contextmanager
PLANTS={}
@contextmanager
def planted(name):
    yield

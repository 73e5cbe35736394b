"""A slow plain-Python judge of one night, written from DOMAIN §4 and decision 0001 alone. It shares no code with the rules."""

from demo.oracle.judge import Judgement, judge

__all__ = ["Judgement", "judge"]

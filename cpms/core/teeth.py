"""Teeth by their FDI code (ISO 3950), two digits: quadrant and place from the midline."""

PERMANENT = tuple(f"{quadrant}{place}" for quadrant in "1234" for place in "12345678")
PRIMARY = tuple(f"{quadrant}{place}" for quadrant in "5678" for place in "12345")
ALL = frozenset(PERMANENT + PRIMARY)


def is_tooth(code: str) -> bool:
    return code in ALL


def in_order(codes: set[str]) -> list[str]:
    """Each once, quadrant by quadrant from the midline."""
    return [code for code in PERMANENT + PRIMARY if code in codes]

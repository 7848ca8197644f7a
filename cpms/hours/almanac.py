"""Public holidays by country and region: the only place that loads the library which knows them.

It takes some nine megabytes and a part of a second, so a clinic that names no country never loads it.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache


@lru_cache(maxsize=64)
def public_holidays(country: str, region: str, year: int, language: str) -> Mapping[date, str]:
    """The days of a year with their names: in `language` where the library speaks it, else in the country's own.

    A country or a region that the library does not know (any more) has none.
    """
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known or (region and region not in known[country]):
        return {}
    spoken = holidays.list_localized_countries().get(country, [])
    nearest = next((each for each in spoken if each.partition("_")[0] == language), None)
    nearest = nearest or holidays.country_holidays(country).default_language
    found = holidays.country_holidays(country, subdiv=region or None, years=year, language=nearest, expand=False)
    return {day: name.replace("; ", ", ") for day, name in sorted(found.items())}


@lru_cache(maxsize=1)
def countries() -> Mapping[str, tuple[str, ...]]:
    """The code of each country that is known, with those of its regions."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(regions) for code, regions in known.items() if len(code) == 2}


@lru_cache(maxsize=32)
def region_names(country: str) -> Mapping[str, str]:
    """The regions of a country by their codes, each by its longest name: some have short ones, too."""
    import holidays

    names = {code: code for code in countries()[country]}
    for name, code in holidays.country_holidays(country).subdivisions_aliases.items():
        if code in names and (names[code] == code or len(name) > len(names[code])):
            names[code] = name
    return names

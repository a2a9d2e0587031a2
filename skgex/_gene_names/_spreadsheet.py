"""Names of genes that a spreadsheet has turned into dates."""

import re

from ._clean import clean_name

# What symbols were, by month and number, and are today. The last of them were aliases.
_SYMBOLS = {
    **{(3, i): (f"MARCHF{i}",) for i in range(1, 12)},  # MARCH1
    **{(9, i): (f"SEPTIN{i}",) for i in range(1, 15)},  # SEPT1
    (3, 1): ("MARCHF1", "MTARC1"),  # MARC1
    (3, 2): ("MARCHF2", "MTARC2"),
    (9, 13): ("SEPTIN7P2",),
    (9, 15): ("SELENOF",),  # SEP15
    (12, 1): ("DELEC1", "BHLHE40"),  # DEC1
    (12, 2): ("BHLHE41",),
    (4, 3): ("ATRAID",),  # APR3
    (10, 1): ("POU2F1", "SLC22A1"),  # OCT1
    (10, 2): ("POU2F2", "SLC22A2"),
    (10, 3): ("POU5F1", "SLC22A3"),
    (10, 4): ("POU5F1",),
    (10, 6): ("POU3F1",),
    (10, 7): ("POU3F2",),
    (10, 8): ("POU3F3",),
    (10, 9): ("POU3F4",),
    (10, 11): ("POU2F3",),
}
RENAMED = frozenset(symbol for symbols in _SYMBOLS.values() for symbol in symbols)
# Of spreadsheets in English, German, French, Spanish, Italian, Portuguese and Dutch.
_MONTHS = {
    1: "jan january januar janv janvier ene enero gen gennaio janeiro januari",
    2: "feb february februar f\u00e9v f\u00e9vr febrero febbraio fev februari",
    3: "mar march mrz m\u00e4r m\u00e4rz mars marzo mar\u00e7o mrt maart",
    4: "apr april avr avril abr abril aprile",
    5: "may mai mayo mag maggio maio mei",
    6: "jun june juni juin junio giu giugno junho",
    7: "jul july juli juil juillet julio lug luglio julho",
    8: "aug august ao\u00fbt ago agosto augustus",
    9: "sep sept september septembre septiembre set settembre setembro",
    10: "oct october okt oktober octobre octubre ott ottobre outubro",
    11: "nov november novembre noviembre novembro",
    12: "dec december dez dezember d\u00e9c d\u00e9cembre dic diciembre dicembre",
}
_NUMBERS = {word: month for month, words in _MONTHS.items() for word in words.split()}
# Before a number these are rather words for samples: Set 1.
_AFTER_A_NUMBER = {"set", "gen", "mag", "may", "mars"}
_WORD = r"([^\W\d_]{3,10})\.?"
_DAY_FIRST = re.compile(rf"X?(\d\d?)(?:[-/ ]|\. ?){_WORD}(?:[-/. ](?:\d\d){{1,2}})?")
_MONTH_FIRST = re.compile(rf"{_WORD}[-/. ](\d\d?)")
_ISO = re.compile(r"X?(\d{4})[-./](\d\d?)[-./](\d\d?)(?:[ T.][\d:.]+)?")
_SLASHES = re.compile(r"X?(\d\d?)([-./])(\d\d?)\2(\d{4})(?: [\d:.]+)?")


def spreadsheet_symbols(name):
    """Return the symbols that a name may have been before it became a date.

    Parameters
    ----------
    name : object
        A name such as 1-Mar, Mar-01, 1. Mrz or 2001-03-01 00:00:00.

    Returns
    -------
    symbols : tuple of str
        Symbols of today, the likeliest first; empty for a name that is no date, and
        for a date that was no gene.
    """
    found = (_SYMBOLS.get(date, ()) for date in _readings(clean_name(name)))
    return tuple(dict.fromkeys(symbol for symbols in found for symbol in symbols))


def is_date(name):
    """Whether a name is a date, also one that is not known to have been a gene."""
    return bool(_readings(clean_name(name)))


def _readings(name):
    """Return (month, number) in the ways in which a date can be read."""
    if len(name) < 4 or len(name) > 30:
        return []
    dates = [*_readings_in_words(name), *_readings_in_numbers(name)]
    return [(month, number) for month, number in dates if 1 <= month <= 12]


def _readings_in_words(name):
    if match := _DAY_FIRST.fullmatch(name):
        number, word = match.groups()
        return _month(word, number)
    if match := _MONTH_FIRST.fullmatch(name):
        word, number = match.groups()
        return [] if word.lower() in _AFTER_A_NUMBER else _month(word, number)
    return []


def _month(word, number):
    month = _NUMBERS.get(word.lower())
    return [(month, int(number))] if month and int(number) <= 31 else []


def _readings_in_numbers(name):
    if match := _ISO.fullmatch(name):
        year, month, day = map(int, match.groups())
        # SEP-02 is taken for a month of a year, whose first day is stored.
        return [(month, day)] + [(month, year - 2000)] * (day == 1)
    if match := _SLASHES.fullmatch(name):
        first, second = int(match[1]), int(match[3])
        order = [(first, second), (second, first)]
        return order[::-1] if match[2] == "." else order
    return []

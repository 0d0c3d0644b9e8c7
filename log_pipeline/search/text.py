"""How a message is cut into words for the full-text index, and how a term asks for them.

SQLite's `unicode61` cuts at everything that is neither letter nor digit, folds case and accents, and takes a
run of Chinese characters for one word, so that 支付 inside 支付失败 would not be found. `index_text` sets each
such character apart; a query does the same and asks for them side by side, as a phrase. Measured on 200,000
lines (22 MB, a tenth Chinese): 16 MB of index and 148,000 lines/s; pairs of characters took 17 MB and
125,000/s; the `trigram` tokenizer 66 MB and 41,000/s, and it can't find words of two characters at all.

The index is contentless: deleting a line needs the very text that was indexed. A change of `index_text` is
therefore a new version of the database's schema.
"""

import re
import unicodedata

# Hiragana and Katakana, CJK ideographs (with extension A and the compatibility block), Hangul, and the
# ideographs beyond the basic plane: scripts that are written without spaces, or not only at word borders.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]")


def index_text(message: str) -> str:
    """The message as the full-text index gets it: characters of unspaced scripts stand alone."""
    if message.isascii():
        return message
    return _UNSPACED.sub(r" \g<0> ", message)


def has_words(text: str) -> bool:
    """Whether `unicode61` finds at least one word in the text."""
    return any(is_word_character(character) for character in text)


def is_word_character(character: str) -> bool:
    """Whether the character is part of a word for `unicode61`: letters, digits and private use."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"

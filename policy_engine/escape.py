"""Makes a stranger's text safe for the place it lands in. Every reporter and every message goes through here."""

from __future__ import annotations

import unicodedata

# Control, format (bidi overrides, zero width), surrogate and private use: nothing a reader sees, or not as it is.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def for_terminal(text: str) -> str:
    """One line of visible characters: what is invisible or steers a terminal is shown as an escape such as \\x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) if unicodedata.category(char) in _INVISIBLE else char for char in text)


def _shown(char: str) -> str:
    code = ord(char)
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": " "}[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def for_markdown(text: str) -> str:
    """Inline Markdown that reads as the text: no markup, no HTML, no link, no image, no mention."""
    return for_terminal(text).translate(_IN_MARKDOWN)


# As numeric references rather than backslashes: they also hold inside table cells and HTML blocks.
_MARKDOWN = {char: f"&#{ord(char)};" for char in "\\`*_{}[]()<>+-!|&~:$"}
# GitHub looks for mentions and issue numbers in the finished page, where a reference is a plain character again: a
# blank of no width keeps the name apart.
_MARKDOWN |= {char: f"&#{ord(char)};&#8203;" for char in "@#"}
_IN_MARKDOWN = str.maketrans(_MARKDOWN)


def code_span(text: str) -> str:
    """A Markdown code span; its fence is longer than any run of backticks inside."""
    text = for_terminal(text).replace("|", "\\|")
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] in ("`", "") or text[-1:] == "`" else ""
    return f"{fence}{pad}{text or ' '}{pad}{fence}"


def for_xml(text: str) -> str:
    """Text that XML 1.0 can hold: other characters are shown as \\x1b. Quoting is the XML writer's work."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _xml_char(ord(char)) else _shown(char) for char in text)


def _xml_char(code: int) -> bool:
    return code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


def for_workflow_command(text: str, *, in_property: bool = False) -> str:
    """The message of a GitHub workflow command, or with `in_property` the value of one of its properties."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text

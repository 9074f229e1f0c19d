"""Markup of vision-language models in an instruction: where their picture stands, which an editor needs no word for."""

import re
from collections.abc import Callable
from typing import Final

from worker.contract.row_warnings import RowWarning

#: Placeholders of an image, as the tokenizers and templates of these have them: LLaVA, Qwen-VL, InternVL, MiniCPM-V,
#: Phi-3-vision, Llama 3.2, Gemma 3, GLM-4V, DeepSeek-VL, Idefics, Fuyu, Emu (angle brackets), Pixtral (square ones).
_PLACEHOLDER: Final = (
    r"(?:"
    r"(?:Picture \d+: ?)?<img>[^<>\n]*</img>"  # Qwen-VL's first: with the picture's path inside
    r"|\(<image>\./</image>\)"
    r"|<\|?/?(?:image|img|vision)(?:[_-]?(?:start|end|pad|patch|token|soft|placeholder|context|here|unk|\d{1,3}+))*+\|?/?>"
    r"|<\|?(?:start|begin|end)_of_(?:image|img)\|?>"
    r"|<im_(?:start|end|patch)>"
    r"|<(?:fake_token_around|gen|dummy)_image>"
    r"|\[/?IMG(?:_?(?:BREAK|END|\d{1,3}))?\]"
    r")"
)
_PLACEHOLDERS: Final = re.compile(rf"(?<!\s)\s*+(?:{_PLACEHOLDER}\s*+)++", re.IGNORECASE)

#: What is markup of some model's, or of a page's, and says nothing to an editor: special tokens, turns, tags of HTML.
_UNKNOWN: Final = re.compile(
    r"<\|[^<>|\s]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:br|p|div|span|b|i)\s?/?>|<img\s[^<>]*>"
)


def without_markup(text: str, warn: Callable[[RowWarning], object], *, keep: bool) -> str:
    """Return an instruction without placeholders of images, and take note of them and of markup that stays.

    `keep`: leave everything as it is. Brackets of people's own, as in "a < b" or "[red]", are no markup.
    """
    if "<" not in text and "[" not in text:  # ten million times
        return text
    if not keep:
        text, found = _PLACEHOLDERS.subn(_gap, text)
        if found:
            warn(RowWarning.MARKUP_REMOVED)
            text = text.strip()
    if _UNKNOWN.search(text) or (keep and _PLACEHOLDERS.search(text)):
        warn(RowWarning.MARKUP_UNKNOWN)
    return text


def _gap(found: re.Match[str]) -> str:
    """Return what stays between the words before and after: a line's end where there was one, else a blank."""
    return "\n" if "\n" in found[0] else " "

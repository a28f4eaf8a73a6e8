"""Characters that look like ASCII, folded to the ASCII that they look like (UTS 39, section 4).

The table is the part of Unicode's confusables.txt (15.1, as the package confusable-homoglyphs 3.3.1 on PyPI carries
it) that leads to one letter, digit or separator of names. What Unicode itself decomposes into ASCII (full-width,
mathematical and circled letters, accents) is not in it. A whole skeleton of UTS 39 would also match two names in one
foreign script; names of tools are ASCII, so a name is only ever taken for an ASCII one.
"""

import unicodedata
from collections.abc import Iterator, Mapping

from agen_authz.core.pinning.hidden import strip_hidden

_LOOKS_LIKE: Mapping[str, str] = {
    "-": (
        "\u02d7\u1173\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2238\u2500\u2501\u2796\u2a29\u2a2a\u2cba"
        "\u2e1a\u2f00\u30fc\u3161\u31d0\u4e00\ua7f7\ufe58"
    ),
    ".": "\u06f0\ua4f8\ua60e\U0001d16d",
    "/": "\u1735\u2041\u2044\u2215\u2571\u27cb\u29f6\u29f8\u2cc6\u2f03\u3033\u30ce\u31d3\u4e3f\U0001d23a",
    "0": "\U0001f10d",
    "1": "\u2780",
    "2": "\u01a7\u01bb\u03e8\u14bf\u2781\ua644\ua6ef\ua75a",
    "3": "\u01b7\u021c\u0417\u0498\u04e0\u2782\u2ccc\ua76a\ua7ab\U000118ca\U00016f3b\U0001d206",
    "4": "\u13ce\u2783\U000118af",
    "5": "\u01bc\u2784\U000118bb",
    "6": "\u0431\u13ee\u2785\u2cd2\U000118d5",
    "7": "\u2786\U000104d2\U000118c6\U0001d212",
    "8": "\u0222\u0223\u09ea\u0a6a\u0b03\u2787\U0001031a",
    "9": "\u09ed\u0a67\u0b68\u0d6d\u2788\u2cca\ua76e\ua770\U000118ac\U000118cc\U000118d6",
    ":": "\u02d0\u02f8\u0589\u0903\u0a83\u16ec\u1803\u1809\u205a\u2236\ua4fd\ua789",
    "_": "\u2307",
    "a": (
        "\u0251\u0391\u03b1\u0410\u0430\u13aa\u15c5\u1e9a\u2376\u237a\ua4ee\U000102a0\U00016f40\U0001d6a8"
        "\U0001d6c2\U0001d6e2\U0001d6fc\U0001d71c\U0001d736\U0001d756\U0001d770\U0001d790\U0001d7aa"
    ),
    "b": (
        "\u0180\u0182\u0183\u0184\u0253\u0392\u0411\u0412\u042c\u0462\u0463\u048c\u048d\u13cf\u13f4\u1472\u1473"
        "\u15af\u15f7\ua4d0\ua7b4\U00010282\U000102a1\U00010301\U0001d6a9\U0001d6e3\U0001d71d\U0001d757\U0001d791"
    ),
    "c": (
        "\u00a2\u00a9\u023c\u03f2\u03f9\u0421\u0441\u04aa\u04ab\u13df\u1d04\u20a1\u2ca4\u2ca5\ua4da\uabaf"
        "\U000102a2\U00010302\U00010415\U0001043d\U0001051c\U000118e9\U000118f2\U0001f74c"
    ),
    "d": "\u00d0\u0110\u0111\u0189\u018c\u0256\u0257\u0501\u13a0\u13e7\u146f\u15de\u15ea\u20ab\ua4d2\ua4d3",
    "e": (
        "\u0246\u0247\u0395\u0415\u0435\u04bd\u04bf\u13ac\u212e\u22ff\u2d39\ua4f0\uab32\U00010286\U000118a6"
        "\U000118ae\U0001d6ac\U0001d6e6\U0001d720\U0001d75a\U0001d794"
    ),
    "f": (
        "\u0191\u0192\u03dc\u0584\u15b4\u1d6e\u1e9d\ua4dd\ua798\ua799\uab35\U00010287\U000102a5\U00010525"
        "\U000118a2\U000118c2\U0001d213\U0001d7ca"
    ),
    "g": "\u018d\u01e4\u01e5\u0260\u0261\u050c\u0581\u13c0\u13f3\u1d83\u1da2\ua4d6",
    "h": (
        "\u0126\u0127\u0266\u0397\u041d\u045b\u04a2\u04bb\u04c7\u04c9\u0570\u13bb\u13c2\u13f2\u157c\u1d78\u210f"
        "\u2c67\u2c8e\ua4e7\ua695\U000102cf\U0001d6ae\U0001d6e8\U0001d722\U0001d75c\U0001d796"
    ),
    "i": (
        "\u0131\u0141\u0196\u0197\u0268\u0269\u026a\u0399\u03b9\u0406\u0456\u04c0\u04cf\u13a5\u13de\u1d7b\u1d7c"
        "\u1fbe\u2373\u2378\u2c92\u2cd0\ua647\uab75\U0001041b\U000118a3\U000118b2\U000118c3\U0001d6a4\U0001d6b0"
        "\U0001d6ca\U0001d6ea\U0001d704\U0001d724\U0001d73e\U0001d75e\U0001d778\U0001d798\U0001d7b2"
    ),
    "j": "\u0248\u0249\u037f\u03f3\u0408\u0458\u13ab\u148d\ua4d9\ua7b2",
    "k": (
        "\u0199\u039a\u041a\u049a\u049e\u13e6\u16d5\u20ad\u2c69\u2c94\ua4d7\ua740\U00010518\U0001d6b1\U0001d6eb"
        "\U0001d725\U0001d75f\U0001d799"
    ),
    "l": (
        "\u0142\u019a\u01c0\u026b\u026d\u06f1\u14aa\u16c1\u18f3\u2223\u23fd\u2d4f\ua4e1\ua4f2\uffe8\U0001028a"
        "\U00010309\U00010320\U00010526\U00016f16\U00016f28\U0001d22a"
    ),
    "m": (
        "\u039c\u03fa\u041c\u04cd\u13b7\u15f0\u16d6\u2c98\ua4df\uab51\U000102b0\U00010311\U0001d6b3\U0001d6ed"
        "\U0001d727\U0001d761\U0001d79b"
    ),
    "n": (
        "\u019d\u019e\u0272\u0273\u039d\u03b7\u0578\u057c\u1d70\u2c9a\ua4e0\U0001018e\U00010513\U0001d6b4"
        "\U0001d6c8\U0001d6ee\U0001d702\U0001d728\U0001d73c\U0001d762\U0001d776\U0001d79c\U0001d7b0"
    ),
    "o": (
        "\u00d8\u00f8\u019f\u01fe\u0275\u0398\u039f\u03b8\u03bf\u03c3\u03d1\u03f4\u041e\u043e\u0472\u0473\u04e8"
        "\u04e9\u0555\u0585\u06f5\u0966\u09e6\u0a66\u0ae6\u0b20\u0b66\u0be6\u0c02\u0c66\u0c82\u0ce6\u0d02\u0d20"
        "\u0d66\u0d82\u0e50\u0ed0\u101d\u1040\u10ff\u12d0\u13a4\u13be\u13eb\u1d0f\u1d11\u2296\u229d\u2365\u236c"
        "\u2c9e\u2c9f\u2d31\u2d41\u2d54\u3007\ua4f3\ua74a\ua74b\uab3d\uab3e\uab74\uab8e\uabbb\U00010292\U000102ab"
        "\U00010404\U0001042c\U000104c2\U000104ea\U00010516\U000114d0\U000118b5\U000118c8\U000118d7\U000118e0"
        "\U0001d21a\U0001d6af\U0001d6b6\U0001d6b9\U0001d6c9\U0001d6d0\U0001d6d4\U0001d6dd\U0001d6e9\U0001d6f0"
        "\U0001d6f3\U0001d703\U0001d70a\U0001d70e\U0001d717\U0001d723\U0001d72a\U0001d72d\U0001d73d\U0001d744"
        "\U0001d748\U0001d751\U0001d75d\U0001d764\U0001d767\U0001d777\U0001d77e\U0001d782\U0001d78b\U0001d797"
        "\U0001d79e\U0001d7a1\U0001d7b1\U0001d7b8\U0001d7bc\U0001d7c5\U0001f714"
    ),
    "p": (
        "\u01a5\u03a1\u03c1\u03f1\u0420\u0440\u13e2\u146d\u18d6\u1d7d\u2117\u2374\u2ca2\u2ca3\ua4d1\U00010295"
        "\U0001d6b8\U0001d6d2\U0001d6e0\U0001d6f2\U0001d70c\U0001d71a\U0001d72c\U0001d746\U0001d754\U0001d766"
        "\U0001d780\U0001d78e\U0001d7a0\U0001d7ba\U0001d7c8"
    ),
    "q": "\u02a0\u051b\u0563\u0566\u2d55",
    "r": (
        "\u00ae\u01a6\u024d\u027c\u027d\u0433\u0493\u13a1\u13d2\u1587\u18f4\u1d26\u1d72\u2c85\ua4e3\uab47\uab48"
        "\uab81\U000104b4\U00016f35\U0001d216"
    ),
    "s": (
        "\u01bd\u0282\u0405\u0455\u054f\u13d5\u13da\u18db\u18f5\u1d74\ua4e2\ua731\uabaa\U00010296\U00010420"
        "\U00010448\U000118c1\U00016f3a"
    ),
    "t": (
        "\u0166\u0167\u01ab\u01ad\u01ae\u023e\u03a4\u0422\u04ac\u13a2\u13bf\u1d75\u20ae\u22a4\u2361\u27d9\u2ca6"
        "\ua4d4\U00010297\U000102b1\U00010315\U000118bc\U00016f0a\U0001d6bb\U0001d6f5\U0001d72f\U0001d769"
        "\U0001d7a3\U0001f768"
    ),
    "u": (
        "\u0244\u028b\u03c5\u054d\u057d\u1200\u13cc\u144c\u1d1c\u1d7e\u222a\u22c3\ua4f4\ua79f\uab4e\uab52\uab9c"
        "\U000104ce\U000104f6\U000118b8\U000118d8\U00016f42\U0001d6d6\U0001d710\U0001d74a\U0001d784\U0001d7be"
    ),
    "v": (
        "\u03bd\u0474\u0475\u06f7\u13d9\u142f\u1d20\u2228\u22c1\u2d38\ua4e6\ua6df\uaba9\U00010197\U0001051d"
        "\U00011706\U000118a0\U000118c0\U00016f08\U0001d20d\U0001d6ce\U0001d708\U0001d742\U0001d77c\U0001d7b6"
        "\U0001f708"
    ),
    "w": (
        "\u026f\u0461\u047d\u051c\u051d\u0561\u13b3\u13d4\u1d21\u20a9\ua4ea\ua761\uab83\U000114c5\U0001170a"
        "\U0001170e\U0001170f\U000118e6\U000118ef"
    ),
    "x": (
        "\u00d7\u03a7\u0425\u0445\u04b2\u1541\u157d\u166d\u166e\u16b7\u2573\u292b\u292c\u2a2f\u2a30\u2cac\u2d5d"
        "\ua4eb\ua7b3\U00010196\U00010290\U000102b4\U00010317\U00010322\U00010527\U000118ec\U0001d6be\U0001d6f8"
        "\U0001d732\U0001d76c\U0001d7a6"
    ),
    "y": (
        "\u00a5\u01b4\u024e\u024f\u0263\u028f\u03a5\u03b3\u03d2\u0423\u0443\u04ae\u04af\u04b0\u04b1\u10e7\u13a9"
        "\u13bd\u1d8c\u1eff\u213d\u2ca8\ua4ec\uab5a\U000102b2\U000118a4\U000118dc\U00016f43\U0001d6bc\U0001d6c4"
        "\U0001d6f6\U0001d6fe\U0001d730\U0001d738\U0001d76a\U0001d772\U0001d7a4\U0001d7ac"
    ),
    "z": (
        "\u01b5\u01b6\u0224\u0225\u0290\u0396\u13c3\u1646\u1d22\u1d76\ua4dc\uab93\U000102f5\U000118a9\U000118c4"
        "\U000118e5\U0001d6ad\U0001d6e7\U0001d721\U0001d75b\U0001d795"
    ),
}
_ASCII_OF = {ord(like): plain for plain, likes in _LOOKS_LIKE.items() for like in likes}
# Where Unicode decomposes characters into ASCII: letters with accents, letters of symbols, full-width forms.
_DECOMPOSED = (
    (0x00A0, 0x0250), (0x1D00, 0x1DC0), (0x1E00, 0x2000), (0x2070, 0x20A0), (0x2100, 0x2190), (0x2460, 0x2500),
    (0x3200, 0x3400), (0xFB00, 0xFB07), (0xFE50, 0xFE70), (0xFF00, 0xFFF0), (0x1D400, 0x1D800), (0x1F100, 0x1F200),
)  # fmt: skip
# Marks that are drawn over or under a letter, and enclose it.
_COMBINING = (
    (0x0300, 0x0370),
    (0x0483, 0x048A),
    (0x1AB0, 0x1B00),
    (0x1DC0, 0x1E00),
    (0x20D0, 0x2100),
    (0xFE20, 0xFE30),
)


def _list_folds() -> Iterator[tuple[int, str]]:
    for first, end in _COMBINING:
        yield from dict.fromkeys(range(first, end), "").items()
    for first, end in _DECOMPOSED:
        for code in range(first, end):
            decomposed = unicodedata.normalize("NFKD", chr(code))
            plain = "".join(_ASCII_OF.get(ord(each), each) for each in decomposed if not unicodedata.combining(each))
            if plain.isascii() and plain.isprintable():
                yield code, plain
    yield from _ASCII_OF.items()


# Not normal forms of whole texts: to put a run of marks in order takes quadratic time, and servers choose the text.
_FOLDS = dict(_list_folds())


def fold_look(text: str) -> str:
    """Fold a text to what it looks like: no hidden character, no accent, lower case, ASCII if it looks like ASCII."""
    if text.isascii() and text.isprintable():
        return text.lower()
    # A capital may look like ASCII where the small letter does not, and the reverse.
    return strip_hidden(text).translate(_FOLDS).casefold().translate(_FOLDS)

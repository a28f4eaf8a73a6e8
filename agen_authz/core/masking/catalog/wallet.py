"""Addresses of cryptocurrencies, by the checksum that is in them."""

from hashlib import sha256

from agen_authz.core.masking.national import words
from agen_authz.core.masking.row import At, Detector, Form, Label, Preset

_PII = frozenset((Preset.PII, Preset.GDPR))

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
# The first byte of an address: Bitcoin, its test networks, Litecoin, Dogecoin, Dash, Tron; Ripple has 0.
_VERSIONS = frozenset((0x00, 0x05, 0x6F, 0xC4, 0x30, 0x32, 0x1E, 0x16, 0x4C, 0x10, 0x41))
_ADDRESS_BYTES = 25

_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_SUMS = frozenset((1, 0x2BC830A3))  # BIP 173, BIP 350


def is_base58_address(value: str) -> bool:
    """True if the last four bytes are the beginning of the SHA-256, taken twice, of what is before them."""
    alphabet = _RIPPLE if value.startswith("r") else _BASE58
    number = 0
    for each in value:
        place = alphabet.find(each)
        if place < 0:
            return False
        number = number * 58 + place
    if number.bit_length() > 8 * _ADDRESS_BYTES:
        return False
    raw = number.to_bytes(_ADDRESS_BYTES, "big")
    return raw[0] in _VERSIONS and sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def is_bech32_address(value: str) -> bool:
    """True if the polynomial checksum is right (BIP 173, BIP 350); upper and lower case are not mixed."""
    if value not in (value.lower(), value.upper()):
        return False
    prefix, _, rest = value.lower().rpartition("1")
    places = [_BECH32.find(each) for each in rest]
    if not prefix or -1 in places:
        return False
    total = 1
    for each in (*(ord(char) >> 5 for char in prefix), 0, *(ord(char) & 31 for char in prefix), *places):
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ each
        for bit, generator in enumerate(_GENERATORS):
            total ^= generator if top >> bit & 1 else 0
    return total in _BECH32_SUMS


CRYPTO_WALLET = Detector(
    id="crypto_wallet",
    title="addresses of Bitcoin and its relatives, with their checksum",
    presets=_PII,
    forms=(Form(r"[123mnLMDTAXr79][1-9A-HJ-NP-Za-km-z]{24,33}", (25, 34), 0.9, is_base58_address),),
    labels=(
        Label(
            ("bc1", "tb1", "ltc1", "addr1", "bnb1", "cosmos1"),
            r"(?i)((?:bc|tb|ltc|addr|bnb|cosmos)1[ac-hj-np-z02-9]{11,98})\b",
            0.9,
            At.FROM,
            check=is_bech32_address,
            reach=112,
        ),
    ),
    context=words("bitcoin, btc, wallet, crypto, litecoin, dogecoin, tron, xrp, ripple, address"),
    fields=words(
        "bitcoin address, btc address, wallet address, crypto address, crypto wallet, bitcoin wallet, btc wallet"
    ),
    field_pattern=r"[A-Za-z0-9]{25}",
    aliases=("bitcoinAddress", "bitcoin_address", "CRYPTO", "BITCOIN_ADDRESS"),
)

ETHEREUM_ADDRESS = Detector(
    id="ethereum_address",
    title="addresses of Ethereum and the networks that use its form",
    presets=_PII,
    labels=(Label(("0x",), r"(0[xX][0-9a-fA-F]{40})\b", 0.8, At.FROM),),
    context=words("ethereum, eth, ether, wallet, crypto, erc20, usdt, usdc, polygon, contract address"),
    fields=words("ethereum address, eth address, ethereum wallet, eth wallet"),
    field_pattern=r"[0-9a-fA-F]{40}",
    aliases=("ethereumAddress", "ETHEREUM_ADDRESS"),
)

ROWS = (CRYPTO_WALLET, ETHEREUM_ADDRESS)

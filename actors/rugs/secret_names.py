"""Key names whose values are credentials, compared in normal form: lower case, letters and digits only. Pure.

In: a key as it stands in JSON, a query or a header. Out: whether its value must be redacted, and whether that depends
on the value: `token` is a credential in one message and a coin in the next. Nothing here is about how random a value
looks; seeds, hashes, ids and addresses have names of their own and stay.
"""

import re
from typing import Final, Literal

Verdict = Literal["open", "secret", "token"]

_LOWER: Final = bytes(range(256)).lower()
_NO_NAME: Final = bytes(set(range(128)) - set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
_MAX_NAME: Final = 64  # letters and digits; a longer key is an id, not a name

_EXACT: Final = frozenset(
    b"auth authorization authentication authdata authheader authheaders authcode authorizationcode oauthcode "
    b"codeverifier bearer jwt jwts jws jwe cookie cookies secret secrets sig sigs pass passwd pwd passcode otp totp "
    b"pincode mfacode smscode onetimecode twofactorcode verificationcode signedmessage signedmessages "
    b"signedtransaction signedtransactions signedtx sessid connectsid phpsessid jsessionid keypair".split()
)
_ENDS: Final = (
    b"signature", b"signatures", b"password", b"passphrase", b"seedphrase", b"recoveryphrase", b"secretphrase",
    b"backupphrase", b"mnemonicphrase", b"seedwords", b"recoverywords", b"mnemonic", b"mnemonics", b"walletseed",
    b"secret", b"secrets", b"privatekey", b"privatekeys", b"privkey", b"secretkey", b"apikey", b"apikeys",
    b"accesskey", b"authkey", b"encryptionkey", b"signingkey", b"masterkey", b"sessionkey", b"recoverykey",
    b"walletkey", b"cookie", b"cookies", b"credential", b"credentials", b"authorization", b"sessionid",
    b"sessionsid", b"authshare", b"deviceshare", b"recoveryshare",
)  # fmt: skip
_BEGINS: Final = (
    b"password", b"passphrase", b"privatekey", b"secretkey", b"seedphrase", b"mnemonic", b"accesstoken",
    b"refreshtoken", b"authtoken", b"sessiontoken", b"bearertoken", b"xapikey",
)  # fmt: skip
_JWT_NAME: Final = re.compile(rb"[a-z]{0,12}jwt")
_TOKEN_OF: Final = re.compile(  # what makes a token a credential, whatever its value looks like
    rb"access|refresh|auth|session|bearer|identity|csrf|xsrf|jwt|api|login|privy|device|push|reset|verif|secur|secret|"
    rb"socket|connect|user|wallet|^id"
)
_COIN: Final = re.compile(rb"0xPractice|0x[0-9a-fA-F]{40}|SOL|solana|free|FREE")  # the wire's own names of coins
_BASE58: Final = {letter: at for at, letter in enumerate(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_MAX_REMEMBERED: Final = 4096


class _Verdicts(dict[bytes, Verdict]):
    """Verdicts on names that were met; forgetting one costs only the time to judge it again."""

    def __missing__(self, name: bytes) -> Verdict:
        verdict = _judge(name)
        if len(name) <= _MAX_NAME:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[name] = verdict
        return verdict


_VERDICTS: Final = _Verdicts()


def verdict_on(name: bytes) -> Verdict:
    """Return what a key's name tells of its value: open, secret, or a token that may be a coin."""
    return _VERDICTS[name]


def normalized(name: bytes) -> bytes:
    """Return a name in lower case, letters and digits only."""
    return name.translate(_LOWER, _NO_NAME)


def is_coin(value: bytes) -> bool:
    """Return whether a `token` is a coin: one of the wire's own names, or an address of 20 or 32 bytes."""
    if _COIN.fullmatch(value) is not None:
        return True
    if not 32 <= len(value) <= 44 or any(letter not in _BASE58 for letter in value):
        return False
    number = 0
    for letter in value:
        number = number * 58 + _BASE58[letter]
    zeros = len(value) - len(value.lstrip(b"1"))
    return zeros + (number.bit_length() + 7) // 8 == 32


def _judge(name: bytes) -> Verdict:
    plain = normalized(name)
    if not 3 <= len(plain) <= _MAX_NAME:
        return "open"
    if plain in _EXACT or plain.endswith(_ENDS) or plain.startswith(_BEGINS) or _JWT_NAME.fullmatch(plain):
        return "secret"
    if plain.endswith((b"token", b"tokens")):
        return "secret" if _TOKEN_OF.search(plain.removesuffix(b"s").removesuffix(b"token")) else "token"
    return "open"

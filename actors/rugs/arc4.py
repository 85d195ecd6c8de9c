"""The random number generator of the game: JavaScript's `seedrandom` with a string seed, bit for bit.

A string goes in, doubles in [0, 1) come out, the same ones a browser's `new Math.seedrandom(text)` gives. The cipher is
ARC4 (RC4) with its first 256 bytes thrown away; a double takes seven bytes, more only when it would have fewer than 52
significant bits. Never used for secrets: it exists to recompute what the game has already revealed.
"""

_SIGNIFICANCE = 1 << 52  # a double is drawn until it has this many bits, as seedrandom does
_BITS = 53  # and cut back to what a double can hold
_SCALES = tuple(2.0 ** (surplus - 56) for surplus in range(4))  # of seven bytes, cut by 0 to 3 bits
_ONE_ROUND = (*range(1, 256), 0)  # the cipher's index i over 256 bytes, from its state after a multiple of 256


def mix_key(text: str) -> list[int]:
    """Return seedrandom's key for a string seed: at most 256 bytes, later characters smeared over the earlier ones.

    Characters are UTF-16 code units, as `charCodeAt` sees them. The empty string gives the key [0].
    """
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    key: list[int] = []
    smear = 0
    for place, unit in enumerate(units):
        if place < 256:  # an unset key place counts as 0 in the original (undefined * 19 is NaN, and NaN ^ x is x)
            key.append((smear + unit) & 255)
        else:
            smear ^= key[place & 255] * 19
            key[place & 255] = (smear + unit) & 255
    return key or [0]


class Arc4:
    """A stream of doubles from one string seed. Not thread-safe; make one per use, it costs about 0.1 ms."""

    def __init__(self, seed: str) -> None:
        self._state = _schedule(mix_key(seed))
        self._j = 0
        self._refill()  # the first 256 bytes are dropped, as seedrandom drops them
        self._bytes = b""
        self._at = 0

    def random(self) -> float:
        """Return the next double in [0, 1), with 52 or 53 significant bits."""
        start = self._at
        end = start + 7
        if end > len(self._bytes):
            self._bytes = self._bytes[start:] + self._refill()
            start, end = 0, 7
        self._at = end
        value = int.from_bytes(self._bytes[start:end])
        if value < _SIGNIFICANCE:  # one draw in sixteen: leading zero bits
            return self._random_from(value)
        surplus = value.bit_length() - _BITS
        return (value >> surplus) * _SCALES[surplus] if surplus > 0 else value * _SCALES[0]

    def _random_from(self, value: int) -> float:
        """Add bytes to the seven of `value` until there are enough significant bits."""
        denominator_bits = 56
        while value < _SIGNIFICANCE:
            if self._at == len(self._bytes):
                self._bytes, self._at = self._refill(), 0
            value = value << 8 | self._bytes[self._at]
            self._at += 1
            denominator_bits += 8
        surplus = max(0, value.bit_length() - _BITS)
        return (value >> surplus) / (1 << (denominator_bits - surplus))

    def _refill(self) -> bytes:
        """Run the cipher for 256 bytes: whole rounds keep the index i out of the loop, which halves its cost."""
        state, j = self._state, self._j
        out = bytearray(256)
        for i in _ONE_ROUND:
            a = state[i]
            j = (j + a) & 255
            b = state[j]
            state[i] = b
            state[j] = a
            out[i - 1] = state[(a + b) & 255]
        self._j = j
        return bytes(out)


def _schedule(key: list[int]) -> list[int]:
    state = list(range(256))
    j = 0
    for i in range(256):
        a = state[i]
        j = (j + key[i % len(key)] + a) & 255
        state[i] = state[j]
        state[j] = a
    return state

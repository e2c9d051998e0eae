"""Writes sequence parameter sets bit by bit, as clause 7.3.2.1.1 of ITU-T H.264 lays them out."""

from dataclasses import dataclass

HIGH = 100
MAIN = 77
BASELINE = 66


class BitWriter:
    """Bits from the left, with Exp-Golomb codes."""

    def __init__(self) -> None:
        self._bits = ""

    def put(self, value: int, count: int) -> None:
        """A number in that many bits."""
        self._bits += f"{value:0{count}b}"

    def unsigned(self, *values: int) -> None:
        """Numbers as ue(v)."""
        for value in values:
            coded = f"{value + 1:b}"
            self._bits += "0" * (len(coded) - 1) + coded

    def signed(self, value: int) -> None:
        """A number as se(v)."""
        self.unsigned(2 * value - 1 if value > 0 else -2 * value)

    def unit(self) -> bytes:
        """Everything, ended with a stop bit and made free of start codes."""
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
        out = bytearray()
        zeros = 0
        for byte in raw:
            if zeros == 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes(out)


@dataclass(frozen=True, slots=True)
class Sps:
    """What to write; defaults are those of a plain camera."""

    width: int = 640
    height: int = 480
    profile: int = HIGH
    constraints: int = 0
    chroma_format: int = 1
    interlaced: bool = False
    order_type: int = 0
    reorder: int | None = None
    rate: tuple[int, int] | None = None
    scaling: bool = False
    described: bool = False
    aspect: tuple[int, int] | int = (1, 1)

    def unit(self) -> bytes:
        """The SPS, its header byte first."""
        bits = BitWriter()
        for value in (0x67, self.profile, self.constraints, 31):
            bits.put(value, 8)
        bits.unsigned(0)
        if self.profile == HIGH:
            self._samples(bits)
        bits.unsigned(0)
        self._order(bits)
        bits.unsigned(4)
        bits.put(0, 1)
        self._size(bits)
        described = (
            self.reorder is not None or self.rate is not None or self.described or self.aspect != (1, 1)
        )
        bits.put(int(described), 1)
        if described:
            self._usability(bits)
        return bits.unit()

    def _samples(self, bits: BitWriter) -> None:
        bits.unsigned(self.chroma_format)
        if self.chroma_format == 3:
            bits.put(0, 1)
        bits.unsigned(0, 0)
        bits.put(0, 1)
        bits.put(int(self.scaling), 1)
        if self.scaling:
            bits.put(1, 1)
            for _ in range(16):
                bits.signed(1)
            bits.put(1, 1)
            bits.signed(-8)  # ends this list at once
            for _ in range(6 if self.chroma_format != 3 else 10):
                bits.put(0, 1)

    def _order(self, bits: BitWriter) -> None:
        bits.unsigned(self.order_type)
        if self.order_type == 0:
            bits.unsigned(2)
        elif self.order_type == 1:
            bits.put(0, 1)
            bits.signed(-1)
            bits.signed(2)
            bits.unsigned(2)
            bits.signed(3)
            bits.signed(-3)

    def _size(self, bits: BitWriter) -> None:
        fields = 2 if self.interlaced else 1
        across, down = -(-self.width // 16), -(-self.height // (16 * fields))
        bits.unsigned(across - 1, down - 1)
        bits.put(int(not self.interlaced), 1)
        if self.interlaced:
            bits.put(0, 1)
        bits.put(1, 1)
        unit_x = 2 if self.chroma_format in {1, 2} else 1
        unit_y = (2 if self.chroma_format == 1 else 1) * fields
        right = (across * 16 - self.width) // unit_x
        bottom = (down * 16 * fields - self.height) // unit_y
        bits.put(int(bool(right or bottom)), 1)
        if right or bottom:
            bits.unsigned(0, right, 0, bottom)

    def _usability(self, bits: BitWriter) -> None:
        bits.put(1, 1)
        if isinstance(self.aspect, int):
            bits.put(self.aspect, 8)
        else:
            bits.put(255, 8)
            bits.put(self.aspect[0] << 16 | self.aspect[1], 32)
        bits.put(0, 1)
        bits.put(int(self.described), 1)
        if self.described:
            bits.put(0b1010, 4)
            bits.put(1, 1)
            bits.put(0x010101, 24)
        bits.put(int(self.described), 1)
        if self.described:
            bits.unsigned(0, 0)
        bits.put(int(self.rate is not None), 1)
        if self.rate is not None:
            bits.put(self.rate[0], 32)
            bits.put(self.rate[1], 32)
            bits.put(1, 1)
        bits.put(int(self.described), 1)
        if self.described:
            bits.unsigned(0)
            bits.put(0, 8)
            bits.unsigned(999, 999)
            bits.put(0, 1)
            bits.put(0, 20)
        bits.put(0, 1)
        if self.described:
            bits.put(0, 1)
        bits.put(0, 1)
        bits.put(int(self.reorder is not None), 1)
        if self.reorder is not None:
            bits.put(1, 1)
            bits.unsigned(2, 1, 16, 16, self.reorder, 4)

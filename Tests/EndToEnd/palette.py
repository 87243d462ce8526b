"""Makes a PNG of a page small: the 256 colours that it has most of, and each other as the nearest."""

import collections, struct, zlib


def pixels(data):
    """Width, height, and each row as a list of (red, green, blue), of 8 bits each, not interlaced."""
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colours = struct.unpack(">IIBB", content[:10])
            if depth != 8 or colours not in (2, 6) or content[12]:
                raise ValueError("another kind of PNG")
        elif kind == b"IDAT":
            packed += content
        at += 12 + length
    size = 4 if colours == 6 else 3
    raw, above, rows = zlib.decompress(packed), bytearray(width * size), []
    for start in range(0, height * (width * size + 1), width * size + 1):
        filtered, line = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
        for i in range(len(line)):
            left = line[i - size] if i >= size else 0
            corner = above[i - size] if i >= size else 0
            if filtered == 1:
                line[i] = line[i] + left & 255
            elif filtered == 2:
                line[i] = line[i] + above[i] & 255
            elif filtered == 3:
                line[i] = line[i] + (left + above[i]) // 2 & 255
            elif filtered == 4:
                guess = left + above[i] - corner
                near = min((abs(guess - left), 0, left), (abs(guess - above[i]), 1, above[i]),
                           (abs(guess - corner), 2, corner))
                line[i] = line[i] + near[2] & 255
        rows.append([tuple(line[i:i + 3]) for i in range(0, len(line), size)])
        above = line
    return width, height, rows


def shrink(path):
    with open(path, "rb") as file:
        width, height, rows = pixels(file.read())
    counts = collections.Counter(colour for row in rows for colour in row)
    palette = [colour for colour, _ in counts.most_common(256)]
    places = {colour: place for place, colour in enumerate(palette)}
    for colour in counts:
        if colour not in places:
            places[colour] = min(
                range(len(palette)),
                key=lambda place: sum((a - b) ** 2 for a, b in zip(colour, palette[place])))

    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    lines = b"".join(b"\0" + bytes(places[colour] for colour in row) for row in rows)
    with open(path, "wb") as file:
        file.write(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
            + chunk(b"PLTE", b"".join(bytes(colour) for colour in palette))
            + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))

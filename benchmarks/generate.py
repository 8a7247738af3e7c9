"""Writes a tree like a `node_modules` folder: `generate.py FOLDER FILES MEGABYTES`; same each time.

Sizes spread over four powers of ten; two thirds of the bytes are program text, a fifth source maps
and data, the rest is packed already.
"""

import random
import sys
from pathlib import Path

WORDS = """await async break case catch class const continue default delete else export extends
finally for from function if import in instanceof let new null of return static super switch this
throw true try typeof undefined var void while yield module exports require Object Array Promise
Map Set String Number Error prototype constructor length push slice concat forEach filter reduce
callback options context request response stream buffer encoding handler listener emitter queue
parse format resolve reject timeout retry value key name path index result state config version"""
ENDS = ["{", "}", ";", "(", ")", "=>", "===", "||", "&&", ".", ",", "[0]", "= {}", "'utf8'"]


def main(folder: Path, files: int, megabytes: float) -> None:
    """Write the files; their sizes add up to the megabytes."""
    luck = random.Random(6000)
    words = (
        WORDS.split()
        + ENDS
        + [f"{luck.choice('abcdefgh')}{luck.randrange(4000)}" for _ in range(1500)]
    )
    weights = [luck.lognormvariate(0, 1.6) for _ in range(files)]
    unit = megabytes * 1e6 / sum(weights)
    text = " ".join(luck.choices(words, k=700_000)).encode()
    for number, weight in enumerate(weights):
        size = int(weight * unit)
        package = folder / "node_modules" / f"package-{number // 40:03}"
        kind = luck.random()
        place = package / ("dist" if number % 3 else "lib")
        place.mkdir(parents=True, exist_ok=True)
        if kind < 0.13:
            (place / f"asset-{number}.woff2").write_bytes(luck.randbytes(size))
            continue
        data = bytearray()
        while len(data) < size:
            start = luck.randrange(len(text) - 4000)
            line = text[start : start + luck.randrange(20, 4000)]
            data += line + (b"\n" if luck.random() < 0.6 else b";\n    ")
        end = "js.map" if kind > 0.8 else "js"
        (place / f"module-{number}.{end}").write_bytes(bytes(data[:size]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

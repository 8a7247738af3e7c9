"""What in a package looks like a mistake, though a function may start with it."""

from collections.abc import Callable, Iterator, Mapping

from workers.packaging.deflate import Blob

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: such a file has some 130 bytes.
_POINTER = b"version https://git-lfs.github.com/spec/v1"
_POINTER_SIZES = range(100, 201)
_SHOWN = 5


def odd(function: str, files: Mapping[str, Blob], head: Callable[[Blob], bytes]) -> Iterator[str]:
    """A sentence for each thing that is worth a look."""
    names = sorted(files)
    if len(names) == 1 and names[0].endswith((".zip", ".jar")):
        yield (
            f"warning: {function}: the package holds nothing but {names[0]!r}, which is a zip in"
            " the zip: have the Dockerfile unpack it at [build] path"
        )
    small = [name for name in names if files[name].size in _POINTER_SIZES]
    pointers = [name for name in small if head(files[name]).startswith(_POINTER)]
    if pointers:
        more = f" and {len(pointers) - _SHOWN} more" if len(pointers) > _SHOWN else ""
        yield (
            f"warning: {function}: {', '.join(map(repr, pointers[:_SHOWN]))}{more} are pointers of"
            " git LFS, not the files: Slipway fetches none; commit them, or fetch them in the build"
        )

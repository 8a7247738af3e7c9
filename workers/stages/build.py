"""From the Dockerfile to packages: deterministic zips, known by their hash from here on."""

import json

from workers.stages.context import Context
from workers.stages.packages import packages


def run(context: Context) -> str:
    """Build and package every function, and put their hashes on record."""
    built = packages(context)
    context.lease.write(packages=json.dumps({name: p.sha256 for name, p in built.items()}))
    for name, package in built.items():
        megabytes = package.size / 1e6
        context.say(
            "build", f"{name}: {package.files} files, {megabytes:.1f} MB, sha256 {package.sha256}"
        )
        for include in package.unmatched:
            context.say("build", f"{name}: include {include!r} matches no file")
    size = sum({p.sha256: p.size for p in built.values()}.values())
    return f"{len(built)} package{'s' * (len(built) != 1)}, {size / 1e6:.1f} MB"

"""From the Dockerfile to packages: deterministic zips, known by their hash from here on."""

from config.units import size
from workers.packaging.package import idle
from workers.stages.build import reuse
from workers.attempt.context import Context
from workers.attempt.packages import packages
from workers.ledger.model.notes import Notes
from workers.stages.site import record


def run(context: Context) -> str:
    """Build and package every function and the site, and put their hashes on record."""
    if summary := reuse.take(context):
        return summary
    built = packages(context)
    context.note(Notes(packages={name: package.sha256 for name, package in built.items()}))
    for name, package in built.items():
        what = f"{package.files} files, {size(package.size)}, sha256 {package.sha256}"
        context.say("build", f"{name}: {what}")
        for include in package.unmatched:
            context.say("build", f"{name}: include {include!r} matches no file")
    for exclude in idle(built.values()):
        context.say("build", f"exclude {exclude!r} matches no file")
    total = sum({p.sha256: p.size for p in built.values()}.values())
    count = f"{len(built)} package{'s' * (len(built) != 1)}, {size(total)}"
    return "; ".join(filter(None, (count if built else "", record(context))))

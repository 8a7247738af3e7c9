"""What a run releases, made once per visit: its functions' packages and its site's files."""

from workers.attempt.context import Context
from workers.attempt.images import workbench
from workers.packaging.package import Package


def packages(context: Context) -> dict[str, Package]:
    """Build the images, package what each function selects, and take out the site's files."""
    made = workbench(context).build(context.pipeline, arguments(context))
    context.site = made.site
    context.built = made.packages
    return made.packages


def arguments(context: Context) -> dict[str, str]:
    """The build arguments with the run's own values filled in."""
    return context.pipeline.build.arguments(
        environment=context.order.target or "",
        commit=context.order.commit,
        branch=context.order.branch,
    )

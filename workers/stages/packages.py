"""The packages of a run's functions, made once per visit."""

from workers.docker.archive import export
from workers.docker.package import Package, package
from workers.docker.selection import Selection
from workers.stages.context import Context
from workers.stages.images import image


def packages(context: Context) -> dict[str, Package]:
    """Build the image and package what each function selects of it."""
    pipeline = context.pipeline
    args = pipeline.build.arguments(
        environment=context.order.environment or "",
        commit=context.order.commit,
        branch=context.order.branch,
    )
    selections = {name: Selection(*pipeline.selection(name)) for name in sorted(pipeline.functions)}
    folder = context.folder / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    build = pipeline.build
    with (
        image(context, build.dockerfile, "build", args=args, network=build.network) as built,
        export(context.shop.engine, built, build.path, context.labels, context.lease) as tar,
    ):
        made = package(tar, selections, folder, root=build.path)
    context.built = made
    return made

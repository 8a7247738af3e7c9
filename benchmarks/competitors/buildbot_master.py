"""Buildbot's configuration: a GitHub hook, one builder, one worker in the same process."""

import os

from buildbot.plugins import schedulers, steps, util, worker

begun = os.environ["BEGUN"]

note = util.Interpolate(f"echo %(prop:revision)s $(date +%%s.%%N) >> {begun}")
factory = util.BuildFactory([steps.ShellCommand(command=["sh", "-c", note])])
BuildmasterConfig = {
    "protocols": {"null": {}},
    "workers": [worker.LocalWorker("local")],
    "builders": [util.BuilderConfig("deploy", workernames=["local"], factory=factory)],
    "schedulers": [
        schedulers.SingleBranchScheduler(
            "push",
            builderNames=["deploy"],
            change_filter=util.ChangeFilter(branch=os.environ["BRANCH"]),
            treeStableTimer=None,
        )
    ],
    "www": {
        "port": f"tcp:{os.environ['PORT']}:interface=127.0.0.1",
        "change_hook_dialects": {"github": {"secret": os.environ["SECRET"], "strict": True}},
    },
    "db": {"db_url": "sqlite:///state.sqlite"},
    "buildbotNetUsageData": None,
}

"""One repository with a few functions, whose packages lie in S3 as if they had been built."""

import base64
import functools
import hashlib
import io
import zipfile

from tests.model.parts import BUCKET, Parts
from workers.ledger import keys
from workers.stages.build.reuse import Built, Kept, key_of_build
from workers.stages.test.reuse import Verdict


def package(function: str, code: str) -> bytes:
    """The package of a function; all but A's are the same for two neighbouring codes."""
    kept = code if function.endswith("A") else str(int(code) // 2)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("code.txt", (1980, 1, 1, 0, 0, 0)), f"{function} {kept}")
    return stream.getvalue()


@functools.cache
def sha256(function: str, code: str) -> str:
    """The hash of that package, base64."""
    return base64.b64encode(hashlib.sha256(package(function, code)).digest()).decode()


class Repository:
    """Its commits, branches and functions: `code` of each commit, its `parents`, the `heads`."""

    def __init__(self, parts: Parts, functions: str) -> None:
        self.parts = parts
        number = next(parts.numbers)
        self.repository = f"octo/r{number}"
        self.functions = tuple(f"F{number}{letter}" for letter in functions)
        self.code: dict[str, str] = {}
        self.parents: dict[str, list[str]] = {}
        self.heads: dict[str, str] = {}
        parts.inside.redis.flushall()
        parts.github.create_repository(self.repository, default_branch="develop")
        for function in self.functions:
            parts.cloud.create_function(function)
        base = self.commit("develop", "0")
        for branch in ("preprod", "master"):
            self.point(branch, base)

    def commit(self, branch: str, code: str, parents: list[str] | None = None) -> str:
        """A commit with that code; nobody is told."""
        functions = "".join(
            f'[functions.{name}]\nruntime = "python3.11"\nhandler = "index.lambda_handler"\n'
            for name in self.functions
        )
        files = {
            "slipway.toml": f'[test.checks]\nunit = "true"\n{functions}',
            "Dockerfile": "FROM scratch\n",
            "Dockerfile.test": "FROM scratch\n",
            "code.txt": code,
        }
        if parents is None:
            parents = [self.heads[branch]] if branch in self.heads else []
        commit = self.parts.github.commit(
            self.repository,
            branch,
            files,
            f"{len(self.parents)}",
            parents=parents,
            date=1_700_000_000 + len(self.parents),
        )
        self.code[commit], self.parents[commit], self.heads[branch] = code, parents, commit
        self._seed(commit, code)
        return commit

    def point(self, branch: str, commit: str) -> None:
        """Point a branch somewhere, as a force-push does."""
        self.parts.github.set_branch(self.repository, branch, commit)
        self.heads[branch] = commit

    def _seed(self, commit: str, code: str) -> None:
        """A build and a test of this tree, as an earlier run would have left them."""
        tree = self.parts.github.git(self.repository).run("rev-parse", f"{commit}^{{tree}}")
        identity = self.parts.github.repository(self.repository).id
        key, seed = keys.built(key_of_build(identity, tree, {})), f"{'e' * 39}{code}"
        redis = self.parts.inside.redis
        if redis.exists(key):
            return
        packages = {}
        for name in self.functions:
            digest = sha256(name, code)
            packages[name] = Kept(bucket=BUCKET, sha256=digest)
            self.parts.cloud.client("s3").put_object(
                Bucket=BUCKET,
                Key=f"{name}/{seed}.zip",
                Body=package(name, code),
                Metadata={"sha256": digest},
            )
        built = Built(run="seed", commit=seed, packages=packages)
        redis.set(key, built.model_dump_json())
        check = {"name": "unit", "exit_code": 0, "seconds": 0}
        verdict = Verdict.model_validate({"run": "seed", "commit": seed, "checks": [check]})
        redis.set(keys.tested(identity, tree), verdict.model_dump_json())

    def ancestors(self, commit: str) -> set[str]:
        """A commit and all that it descends from."""
        found: set[str] = set()
        todo = [commit]
        while todo:
            if (one := todo.pop()) not in found:
                found.add(one)
                todo += self.parents[one]
        return found

    def same_package(self, function: str, digest: str) -> set[str]:
        """The commits whose package of a function has that hash."""
        return {c for c, code in self.code.items() if sha256(function, code) == digest}

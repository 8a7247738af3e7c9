"""Node.js's layouts: one install, the build, then pruning; TypeScript is bundled."""

import json

import pytest

from tests.builds.conftest import Shape

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

F = '[functions.F]\nruntime = "nodejs20.x"\nhandler = "index.handler"\n'
MS = "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA"
ODD = "Wu1VHeILBK8KAWJUAiSZQX94GmOE45Rg6/538fKwiloUu21KncEkYGPqob2oSZ5mUT73vLGrHQjKw3KMPwfDzg"


def npm(**more: object) -> dict[str, str]:
    """A package.json that depends on ms, its lock, and more of its members."""
    package = {
        "name": "x",
        "version": "1.0.0",
        "private": True,
        "dependencies": {"ms": "2.1.3"},
        **more,
    }
    root = {key: package[key] for key in package if key in ("name", "version", "dependencies")}
    locked = {
        "": {**root, "devDependencies": package.get("devDependencies", {})},
        "node_modules/ms": {"version": "2.1.3", "integrity": f"{MS}=="},
    }
    if "devDependencies" in package:
        locked["node_modules/tool"] = {"resolved": "tool", "link": True, "dev": True}
        locked["tool"] = {"name": "tool", "version": "1.0.0", "dev": True, "bin": {"tool": "t.js"}}
    lock = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": locked}
    return {"package.json": json.dumps(package), "package-lock.json": json.dumps(lock)}


HANDLER = "exports.handler = async () => ({ statusCode: 200, body: require('ms')('1s') });\n"
SAY = "require('./index').handler().then(r => console.log(r.body))"


def test_production_dependencies(shape: Shape):
    """What the lock has lies beside the source."""
    shape.write({**npm(), "index.js": HANDLER})
    assert "node_modules/ms/index.js" in shape.build(F)["F"]
    assert shape.node(SAY) == "1000"


def test_a_hook_that_wants_a_development_tool(shape: Shape):
    """`prepare` runs where its tool is, once; the tool is not in the package (D3)."""
    tool = {"tool/package.json": '{"name": "tool", "version": "1.0.0", "bin": {"tool": "t.js"}}'}
    tool["tool/t.js"] = "#!/usr/bin/env node\nconsole.log('prepared')\n"
    more = {"scripts": {"prepare": "tool"}, "devDependencies": {"tool": "file:tool"}}
    shape.write({**npm(**more), **tool, "index.js": HANDLER})
    names = shape.build(F)["F"]
    assert "node_modules/ms/index.js" in names
    assert not any(name.startswith("node_modules/tool") for name in names)
    assert shape.node(SAY) == "1000"


def test_what_a_build_generates_stays(shape: Shape):
    """A client that the build writes into node_modules is there, a cache is not (D4)."""
    script = (
        "const f = require('fs');\n"
        "for (const d of ['gen', '.prisma/client', '.cache'])\n"
        "  f.mkdirSync(`node_modules/${d}`, { recursive: true });\n"
        "f.writeFileSync('node_modules/gen/index.js', 'exports.v = 1');\n"
        "f.writeFileSync('node_modules/.prisma/client/index.js', 'exports.v = 2');\n"
        "f.writeFileSync('node_modules/.cache/time', String(Date.now()));\n"
    )
    index = "exports.v = require('gen').v + require('.prisma/client').v + require('ms')('1s');\n"
    files = {**npm(scripts={"build": "node gen.js"}), "gen.js": script, "index.js": index}
    shape.write(files)
    assert "node_modules/.cache/time" not in shape.build(F)["F"]
    assert shape.node("console.log(require('./index').v)") == "1003"
    first = shape.made["F"].sha256
    shape.build(F, again="2")
    assert shape.made["F"].sha256 == first


def test_a_build_without_generated_files_keeps_its_hash(shape: Shape):
    """Pruned, everything is byte for byte what production's own installation is."""
    files = npm(scripts={"build": "true"})
    for name, path in (("package.json", ""), ("package-lock.json", "node_modules/is-number")):
        table = json.loads(files[name])
        root = table["packages"][""] if path else table
        root["devDependencies"] = {"is-number": "6.0.0"}
        if path:
            table["packages"][path] = {
                "version": "6.0.0",
                "integrity": f"sha512-{ODD}==",
                "dev": True,
            }
        files[name] = json.dumps(table)
    shape.write({**files, "index.js": HANDLER})
    assert not any("is-number" in name for name in shape.build(F)["F"])
    pruned = shape.made["F"].sha256
    shape.build("[build]\nscript = false\n" + F, again="2")
    assert shape.made["F"].sha256 == pruned


TYPED = (
    "import ms from 'ms';\ninterface Answer { body: number }\n"
    "export const handler = async (): Promise<Answer> => ({ body: ms('2s') });\n"
)


@pytest.mark.parametrize("kind", ["commonjs", "module"])
def test_typescript_is_bundled(shape: Shape, kind: str):
    """Without a build script a handler's `.ts` becomes one file, with its source map."""
    shape.write({**npm(type=kind), "src/api.ts": TYPED})
    names = shape.build(F.replace("index.handler", "src/api.handler"))["F"]
    end = "js" if kind == "commonjs" else "mjs"
    assert names == [f"src/api.{end}", f"src/api.{end}.map"]
    say = f"import('./src/api.{end}').then(m => m.handler()).then(r => console.log(r.body))"
    assert shape.node(say) == "2000"


def test_a_workspaces_member_is_bundled(shape: Shape):
    """With its lock file above it, a member imports another by name (R9)."""
    common = '{"name": "common", "version": "1.0.0", "main": "index.ts"}'
    member = '{"name": "a", "version": "1.0.0", "dependencies": {"common": "1.0.0"}}'
    shape.write(
        {
            "package.json": '{"name": "r", "private": true, "workspaces": ["packages/*", "f/*"]}',
            "yarn.lock": "# yarn lockfile v1\n",
            "packages/common/package.json": common,
            "packages/common/index.ts": "export const x: number = 7;\n",
            "f/a/package.json": member,
            "f/a/src/h.ts": "import { x } from 'common';\nexport const handler = () => x;\n",
        }
    )
    text = F.replace("index.handler", "src/h.handler") + 'source = "f/a"\n'
    assert shape.build(text)["F"] == ["src/h.js", "src/h.js.map"]
    assert shape.node("console.log(require('./src/h').handler())") == "7"


def test_members_that_depend_on_each_other(shape: Shape):
    """Pnpm's links between them stay links where they go round, and are followed (D13)."""
    lock = ["lockfileVersion: '9.0'", "importers:", "  .: {}"]
    files = {"pnpm-workspace.yaml": "packages: ['packages/*']\n", "package.json": '{"name": "r"}'}
    for one, other in (("a", "b"), ("b", "a")):
        package = {"name": one, "version": "1.0.0", "dependencies": {other: "workspace:*"}}
        files[f"packages/{one}/package.json"] = json.dumps(package)
        files[f"packages/{one}/index.js"] = f"exports.v = () => require('{other}').name;\n"
        files[f"packages/{one}/index.js"] += f"exports.name = '{one}';\n"
        lock += [f"  packages/{one}:", "    dependencies:", f"      {other}:"]
        lock += ["        specifier: workspace:*", f"        version: link:../{other}"]
    shape.write({**files, "pnpm-lock.yaml": "\n".join((*lock, ""))})
    names = shape.build(F.replace("index.handler", "packages/a/index.v"))["F"]
    assert "packages/a/node_modules/b/index.js" in names
    assert shape.node("console.log(require('./packages/a').v(), require('./packages/b').v())") == (
        "b a"
    )

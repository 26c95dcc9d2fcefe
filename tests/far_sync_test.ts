// What a stranger does: pushes a snapshot to a place far away, pulls it elsewhere,
// mounts it there, and looks whether every file is equal. The real program, and real
// servers; SNAP_TREE names the tree, else it is a small one.
import { match, ok, strictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { Nginx, nginxAbsent } from "./_nginx.ts";
import { ROOT } from "../_tools/workspace.ts";
import { MountScene, mountTest } from "./_mount.ts";
import { lacksServer, newBucket, s3Server } from "./_s3_server.ts";
import { makeTree } from "./_saves.ts";
import { noise } from "./_snapshots.ts";
import { lacksSshd, startSshd } from "./_sshd.ts";

const MAIN = `${Deno.execPath()} run -A --no-check ${ROOT}cli/main.ts`;
const TOKEN = "0123456789abcdef0123456789abcdef";

/** Words of bash that all of the scripts begin with. */
const BEGIN = `snap() { ${MAIN} "$@"; }
export SNAP_STORE="$STORE"
tree="\${SNAP_TREE:-$SOURCE}"`;

/** Pulls from $FAR into an empty store, mounts that, and compares. */
const CHECK = `snap init --store "$FOLDER/elsewhere" >/dev/null
snap pull "$FAR" --store "$FOLDER/elsewhere"
snap verify --data --store "$FOLDER/elsewhere" >/dev/null
snap mount main "$MOUNT" --store "$FOLDER/elsewhere" >/dev/null
rsync -aHAXn --checksum --delete -i "$tree/" "$MOUNT/"
find "$MOUNT" -type f | wc -l
snap umount "$MOUNT"`;

/** Saves the tree, pushes it to where \`far\` says, and checks what comes back. */
async function pushAndPull(
  scene: MountScene,
  far: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const tree = Deno.env.get("SNAP_TREE");
  const set = { FAR: far, ...env, ...(tree && { SNAP_TREE: tree }) };
  const said = await scene.bash(`${exportsOf(set)}
${BEGIN}
snap init >/dev/null
snap save "$tree" --tag main >/dev/null
snap push "$FAR"
snap push "$FAR"
${CHECK}`);
  const [pushed, again, pulled, ...rest] = said.trimEnd().split("\n");
  match(pushed, /^Copied 1 snapshot .*, 1 entry of tags$/);
  strictEqual(again, "Nothing to copy");
  match(pulled, /^Copied 1 snapshot .*, 1 entry of tags$/);
  // Rsync says nothing of what is equal.
  strictEqual(rest.length, 1, said);
  ok(Number(rest[0]) > 5);
}

function exportsOf(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value}'`).join("\n");
}

function makeScene(): MountScene {
  const scene = new MountScene();
  makeTree(`${scene.source}/tree`);
  // Large content, and more than one message takes.
  writeFileSync(`${scene.source}/noise`, noise(6_000_000, 3));
  return scene;
}

/** A test that mounts what was at a server; left out where that is not installed. */
function farTest(
  name: string,
  isAbsent: boolean,
  run: (scene: MountScene) => Promise<void>,
): void {
  if (isAbsent) return Deno.test({ name, ignore: true, fn: () => {} });
  mountTest(name, async () => {
    await using scene = makeScene();
    await run(scene);
  });
}

farTest(
  "a snapshot that is pushed over ssh comes back, and is mounted",
  lacksSshd(),
  async (scene) => {
    await using sshd = await startSshd();
    const cache = scene.env.DENO_DIR;
    await scene.bash(`${MAIN} init "${sshd.folder}/snaps"`);
    await pushAndPull(scene, `ssh://${sshd.host}${sshd.folder}/snaps`, {
      SNAP_SSH: sshd.ssh.join(" "),
      SNAP_REMOTE_COMMAND: `env DENO_DIR=${cache} ${MAIN}`,
    });
  },
);

farTest(
  "a snapshot that is pushed past nginx, whose limit of bodies must not be too small, comes back, and is mounted",
  nginxAbsent(),
  async (scene) => {
    const served = scene.folder.join("served");
    const tokens = scene.folder.join("tokens");
    writeFileSync(tokens, `append ${TOKEN}\n`, { mode: 0o600 });
    await scene.bash(`${MAIN} init "${served}"`);
    await using server = await serve(scene, served, tokens);
    const proxy = (limit: string): string =>
      `${limit} location / { proxy_pass ${server.url}; }`;
    const folder = scene.folder.join("nginx");
    const env = { SNAP_TOKEN: TOKEN };
    {
      const limit = "client_max_body_size 16k;";
      await using narrow = await Nginx.start(folder, proxy(limit));
      const { code, stderr } = await scene.run(
        `${exportsOf({ FAR: narrow.url, ...env })}
${BEGIN}
SNAP_STORE="$FOLDER/narrow"
snap init >/dev/null
snap save "$SOURCE" --tag main >/dev/null
snap push "$FAR"`,
      );
      strictEqual(code, 1, stderr);
      match(stderr, /takes no body of this size \(413\)/);
      match(stderr, /hint: .*client_max_body_size 32m/);
    }
    // What nginx has if nobody says otherwise is enough.
    await using usual = await Nginx.start(folder, proxy(""));
    await pushAndPull(scene, usual.url, env);
  },
);

farTest(
  "a snapshot that is pushed into a bucket comes back, and is mounted",
  lacksServer("ceph"),
  async (scene) => {
    const server = await s3Server("ceph");
    const bucket = await newBucket(server);
    const env = {
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    };
    const far = `s3://${bucket}/snaps?endpoint=${server.endpoint}`;
    await scene.bash(`${exportsOf(env)}
${BEGIN}
snap init --store "${far}"`);
    await pushAndPull(scene, far, env);
  },
);

/** The program that serves a store, until the end of its block. */
async function serve(
  scene: MountScene,
  store: string,
  tokens: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const [program, ...args] = MAIN.split(" ");
  const child = new Deno.Command(program, {
    args: [
      ...[...args, "serve", store, "--listen", "127.0.0.1:0"],
      ...["--tokens", tokens],
    ],
    clearEnv: true,
    env: scene.env,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return {
    url: new TextDecoder().decode(value).trim(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}

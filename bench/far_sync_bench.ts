/**
 * A clone of a store that is far away: behind a link with a delay and a rate, on
 * which nothing else goes. It takes as long as its bytes alone, and how much more;
 * beside it what went up, and the memory of the client.
 *
 * `deno task bench far_sync [TREE] [--runs 3]`, where TREE is a folder or the name of
 * a made tree; `--small` only shows that it runs.
 *
 * @module
 */
import { SlowLink } from "../tests/_slow_link.ts";
import { benchArguments } from "./_arguments.ts";
import { prepareTree, removeTree, withFolder } from "./_folder.ts";
import { measure } from "./_measure.ts";
import { environmentOf } from "./_programs.ts";
import { Server } from "./_server.ts";
import { megabytes } from "./_table.ts";

const DELAY_MS = 50;
const BYTES_PER_SECOND = 25e6;

/** Clones a store over the link, and says what it took. */
async function clone(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  await using server = await Server.start(env["FROM"]);
  const port = Number(new URL(server.url).port);
  const how = { port, delayMs: DELAY_MS, bytesPerSecond: BYTES_PER_SECOND };
  await using link = new SlowLink(how);
  const url = `http://127.0.0.1:${await link.listen()}/`;
  const { wallSeconds, peakBytes } = await measure(
    `$SNAP clone --no-cache "$URL" "$TO"`,
    { cwd: folder, env: { ...env, URL: url } },
  );
  const { upCount, downCount } = link;
  const alone = downCount / BYTES_PER_SECOND;
  return [
    `${wallSeconds.toFixed(2)} s`,
    `its ${megabytes(downCount)} MB alone ${alone.toFixed(2)} s`,
    `${(wallSeconds - alone).toFixed(2)} s more`,
    `${(100 * upCount / downCount).toFixed(2)} % up`,
    `peak ${megabytes(peakBytes)} MB`,
  ].join(", ");
}

if (import.meta.main) {
  const { names, runCount, size } = benchArguments(Deno.args, "source");
  await withFolder(async (folder) => {
    const tree = await prepareTree(names[0], folder, size);
    const env = {
      ...environmentOf(folder),
      TREE: tree.path,
      FROM: `${folder}/from`,
      TO: `${folder}/to`,
    };
    const shell = (command: string) => measure(command, { cwd: folder, env });
    await shell(
      `$SNAP init --store "$FROM" && $SNAP save --store "$FROM" "$TREE"`,
    );
    console.log(
      `${tree.title}, ${DELAY_MS} ms, ${BYTES_PER_SECOND / 1e6} MB/s`,
    );
    for (let i = 0; i < runCount; i++) {
      console.log(await clone(folder, env));
      await shell(`$SNAP verify --data --store "$TO"`);
      await removeTree(env.TO);
    }
  });
}

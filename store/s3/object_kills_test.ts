// Processes that are killed while they write an object, at each request.
import { ok, strictEqual } from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Moment } from "../../tests/_deadly_fetch.ts";
import {
  lacksServer,
  newBucket,
  s3Server,
  signedFetch,
} from "../../tests/_s3_server.ts";
import { noise } from "../../tests/_test_bytes.ts";
import { openS3Objects } from "./mod.ts";
import { MeddlingProxy } from "../../tests/_meddling_proxy.ts";

const PROGRAM = fileURLToPath(
  new URL("./testdata/write_object.ts", import.meta.url),
);
const MIB = 1024 * 1024;
/** The smallest part that real servers take. */
const partSize = 5 * MIB;
/** Five parts: more than are under way at once. */
const size = 4 * partSize + 777;
/** A kill makes the parts go again that were under way. */
const AGAIN_MAX = 4 * partSize;
/** What requests have beside parts. */
const XML_MAX = 8 * 1024;
const content = noise(1, size);
const digest = sha256([content]);

function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

async function writeAndDie(options: {
  readonly moment: Moment;
  readonly url: string;
  readonly endpoint: string;
  readonly credentials: unknown;
}): Promise<boolean> {
  const text = JSON.stringify({ ...options, size, partSize });
  const child = spawn(Deno.execPath(), ["run", "-A", "-q", PROGRAM, text], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const { code, signal } = await new Promise<
    { code: number | null; signal: string | null }
  >((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal }))
  );
  ok(code === 0 || signal === "SIGKILL", `${code} ${signal}`);
  return signal !== null;
}

for (const [personality, step] of [["ceph", 2], ["moto", 1]] as const) {
  Deno.test({
    name:
      `an object on ${personality} is whole after a kill at each request, and no more is sent again than was under way`,
    ignore: lacksServer(personality),
    async fn() {
      const server = await s3Server(personality);
      const bucket = await newBucket(server);
      await using proxy = await MeddlingProxy.start(server.endpoint);
      const place = { ...server, endpoint: proxy.endpoint };
      let isKilled = true, request = 0;
      while (isKilled) {
        request += step;
        const phase = (["before", "within", "after"] as const)[request % 3];
        const moment = { request, phase, rounds: request };
        const url = `s3://${bucket}/a b/${request}`;
        const before = proxy.byteCount;
        isKilled = await writeAndDie({ ...place, url, moment });
        const options = { ...place, env: {}, partSize };
        const objects = await openS3Objects(url, options);
        await using writer = objects.write("layer.tar");
        await writer.write(content);
        await writer.finish();
        const sent = proxy.byteCount - before;
        ok(sent <= size + AGAIN_MAX + XML_MAX, `request ${request}: ${sent}`);
        const read = await Array.fromAsync(objects.read("layer.tar"));
        strictEqual(sha256(read), digest);
      }
      const uploads = await signedFetch(server, "GET", `${bucket}?uploads`);
      ok(!(await uploads.text()).includes("<Upload>"), "an upload was left");
      ok(request > 9, `it has ended before request ${request}`);
    },
  });
}

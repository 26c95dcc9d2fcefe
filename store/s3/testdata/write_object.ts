// Writes an object of noise, for a test that kills it.
import process from "node:process";
import { deadlyFetch } from "../../../tests/_deadly_fetch.ts";
import { noise } from "../../../tests/_test_bytes.ts";
import { openS3Objects } from "../mod.ts";

const { moment, url, size, ...options } = JSON.parse(process.argv[2]);
const objects = await openS3Objects(url, {
  ...options,
  env: {},
  fetch: deadlyFetch(moment, () => process.kill(process.pid, "SIGKILL")),
});
await using writer = objects.write("layer.tar");
await writer.write(noise(1, size));
await writer.finish();

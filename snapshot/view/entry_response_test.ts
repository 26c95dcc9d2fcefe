import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { noise, plainOf } from "../../tests/_test_bytes.ts";
import { TestSnapshots } from "../../tests/_test_snapshots.ts";
import { entryResponse } from "./entry_response.ts";
import { View } from "./view.ts";

const CHUNKS = [noise(1, 9000), 200_000, noise(2, 12_000)] as const;
const BIG = plainOf(CHUNKS);

async function open(): Promise<View> {
  const test = new TestSnapshots();
  const record = await test.save({
    big: { chunks: CHUNKS },
    empty: { file: "" },
    sub: { directory: {} },
  });
  return await View.open(await test.open(), record);
}

async function answer(
  view: View,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Response> {
  const entry = await view.lookup(path);
  const request = new Request("http://localhost/", { method, headers });
  return entryResponse(view, entry!, request);
}

Deno.test("entryResponse answers with all of a file, and its tag", async () => {
  const view = await open();
  const { id } = (await view.lookup("big"))!;
  const whole = await answer(view, "big");
  equal(whole.status, 200);
  deepEqual(Object.fromEntries(whole.headers), {
    "accept-ranges": "bytes",
    "content-length": `${BIG.length}`,
    etag: `"${id}"`,
  });
  deepEqual(await whole.bytes(), BIG);
  const empty = await answer(view, "empty");
  deepEqual([empty.status, await empty.text()], [200, ""]);
});

Deno.test("entryResponse answers with a range, its end, or that there is none", async () => {
  const view = await open();
  for (
    const [range, start, end] of [
      ["bytes=0-0", 0, 1],
      ["bytes=8000-209500", 8000, 209_501],
      ["bytes=220000-", 220_000, BIG.length],
      ["bytes=-7", BIG.length - 7, BIG.length],
      ["bytes=5-99999999", 5, BIG.length],
    ] as const
  ) {
    const part = await answer(view, "big", { range });
    equal(part.status, 206, range);
    const said = `bytes ${start}-${end - 1}/${BIG.length}`;
    equal(part.headers.get("content-range"), said);
    equal(part.headers.get("content-length"), `${end - start}`);
    deepEqual(await part.bytes(), BIG.subarray(start, end), range);
  }
  const none = await answer(view, "big", { range: "bytes=221000-" });
  deepEqual([none.status, none.headers.get("content-range")], [
    416,
    `bytes */${BIG.length}`,
  ]);
  equal((await answer(view, "empty", { range: "bytes=0-" })).status, 416);
  const odd = await answer(view, "big", { range: "bytes=0-1,5-6" });
  equal(odd.status, 200, "several ranges get everything");
  await odd.body?.cancel();
});

Deno.test("entryResponse sends no body to who has it, nor to HEAD", async () => {
  const view = await open();
  const etag = `"${(await view.lookup("big"))!.id}"`;
  const same = await answer(view, "big", { "if-none-match": etag });
  deepEqual([same.status, same.body], [304, null]);
  const head = await answer(view, "big", {}, "HEAD");
  deepEqual([head.status, head.body], [200, null]);
  equal(head.headers.get("content-length"), `${BIG.length}`);
  const headers = { range: "bytes=0-0", "if-range": '"other"' };
  const changed = await answer(view, "big", headers);
  equal(changed.status, 200, "another file than the one that it has a part of");
  await changed.body?.cancel();
});

Deno.test("entryResponse ends with the signal of its request, and takes files only", async () => {
  const view = await open();
  const directory = (await view.lookup("sub"))!;
  equal(directory.isFile, false);
  const request = new Request("http://localhost/");
  throws(() => entryResponse(view, directory, request), TypeError);
  const controller = new AbortController();
  const { signal } = controller;
  const answered = entryResponse(
    view,
    (await view.lookup("big"))!,
    new Request("http://localhost/", { signal }),
  );
  controller.abort(new Error("Enough"));
  await rejects(answered.bytes(), /Enough/);
});

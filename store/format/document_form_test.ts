import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { DocumentSyntaxError } from "../errors.ts";
import type { DocumentKind } from "../header.ts";
import { encodeDocument } from "./document.ts";
import { decodeNamed, documentFormOf } from "./document_form.ts";

const ID = "ab".repeat(32);
const SAVE = "cd".repeat(16);
const TIME = "2026-11-20T05:46:18.000000000Z";
const saveId = new Uint8Array(16);

type Body = Record<string, unknown>;

/** Names that nothing writes yet, each with bodies that are right and fields that are not. */
const DOCUMENTS: readonly {
  readonly name: string;
  readonly kind: DocumentKind;
  readonly bodies: readonly Body[];
  readonly wrong: readonly Body[];
}[] = [
  {
    name: `forgotten/${ID}`,
    kind: "GCLG",
    bodies: [{ time: TIME }, { time: TIME, later: 1 }],
    wrong: [{ time: "now" }, { time: undefined }, { time: 7 }],
  },
  {
    name: `leases/${SAVE}/0`,
    kind: "LEAS",
    bodies: [{ time: TIME, host: "h", program: "p", action: "save" }, {
      ...{ time: TIME, host: "h", program: "p", action: "copy" },
      saveIds: [SAVE],
    }],
    wrong: [{ host: 1 }, { action: undefined }, { saveIds: [ID] }],
  },
  {
    name: `leases/${SAVE}/12`,
    kind: "LEAS",
    bodies: [{ time: TIME }],
    wrong: [{ time: "2026-11-20T05:46:18Z" }, { saveIds: SAVE }],
  },
  { name: `leases/${SAVE}/end`, kind: "LEAS", bodies: [{}], wrong: [] },
  {
    name: "gc/1",
    kind: "GCLG",
    bodies: [{ time: TIME, step: "condemned", packs: [ID] }],
    wrong: [
      { packs: [SAVE] },
      { packs: undefined },
      { packs: new Array(10_001).fill(ID) },
      { step: "other" },
      { step: "toString" },
      { time: 1 },
    ],
  },
  {
    name: "gc/2",
    kind: "GCLG",
    bodies: [{ time: TIME, step: "holders", leases: { [SAVE]: 3 } }],
    wrong: [{ leases: { [SAVE]: -1 } }, { leases: { x: 1 } }, { leases: [] }],
  },
  {
    name: "gc/3",
    kind: "GCLG",
    bodies: [{ time: TIME, step: "suspects", saves: [] }],
    wrong: [{ saves: {} }, { saves: [1] }],
  },
  {
    name: "gc/4",
    kind: "GCLG",
    bodies: [{ time: TIME, step: "final", packs: [], void: [SAVE], ended: [] }],
    wrong: [{ packs: 1 }, { void: [ID] }, { ended: undefined }],
  },
  {
    name: "gc/5",
    kind: "GCLG",
    bodies: [{ time: TIME, step: "done" }],
    wrong: [{ step: undefined }],
  },
  {
    name: `gc/void/${SAVE}`,
    kind: "GCLG",
    bodies: [{ round: 4 }],
    wrong: [{ round: 1.5 }, { round: undefined }],
  },
  {
    name: `gc/bad/${ID}`,
    kind: "GCLG",
    bodies: [{ time: TIME, reason: "a frame" }],
    wrong: [{ reason: undefined }],
  },
  {
    name: "listing",
    kind: "LIST",
    bodies: [{ files: [["config/1", 300]], pages: [] }, {
      files: new Array(10_001).fill(["config/1", 300]),
      pages: [[`listings/${ID}`, "tags/"]],
    }],
    wrong: [
      { files: [["config/1"]] },
      { files: [["config/1", 300, 1]] },
      { files: [["../x", 300]] },
      { files: [[300, 300]] },
      { files: [["config/1", -1]] },
      { files: undefined },
      { pages: [["listings/x", "tags/"]] },
      { pages: [[`listings/${ID}`, 1]] },
      { pages: {} },
    ],
  },
  {
    name: `listings/${ID}`,
    kind: "LIST",
    bodies: [{ files: [], pages: [] }],
    wrong: [{ pages: undefined }],
  },
];

for (const { name, kind, bodies, wrong } of DOCUMENTS) {
  Deno.test(`decodeNamed reads ${name.slice(0, 12)} and refuses fields that are wrong`, () => {
    for (const body of bodies) {
      const bytes = encodeDocument({ kind, saveId, body });
      deepStrictEqual(decodeNamed(name, bytes).body, body);
    }
    for (const change of wrong) {
      const body = { ...bodies[0], ...change };
      const bytes = encodeDocument({ kind, saveId, body });
      throws(() => decodeNamed(name, bytes), {
        name: "DocumentSyntaxError",
        message: new RegExp(`^Cannot read ${name} as its field \\S+ must be`),
      }, JSON.stringify(change));
    }
    const other = encodeDocument({ kind: "CONF", saveId, body: bodies[0] });
    throws(() => decodeNamed(name, other), DocumentSyntaxError);
  });
}

Deno.test("documentFormOf knows no other names", () => {
  const names = [
    "",
    "gc",
    "gc/0",
    "gc/01",
    "gc/void",
    `gc/void/${ID}`,
    `gc/bad/${SAVE}`,
    `gc/other/${ID}`,
    `leases/${SAVE}`,
    `leases/${SAVE}/00`,
    `leases/${SAVE}/END`,
    `leases/${ID}/0`,
    `forgotten/${SAVE}`,
    `snapshots/${ID}-${ID}`,
    `snapshots/${ID}-${ID}-${ID}`,
    "config/0",
    "tags/main",
    "listings",
    `listings/${SAVE}`,
    `packs/ab/${ID}`,
  ];
  for (const name of names) strictEqual(documentFormOf(name), undefined, name);
  throws(() => decodeNamed("gc/x", new Uint8Array(9)), /no file of a store/);
});

import { checkFields } from "@snap/hash";

const SNAPSHOTS_NEED = "what openSnapshots gives";

/**
 * Checks that an argument is what `openSnapshots` gives.
 *
 * @param snapshots The argument.
 * @param action What it is for.
 * @throws {TypeError} If it is something else.
 */
export function checkSnapshots(snapshots: unknown, action: string): void {
  checkFields({ snapshots }, {
    ...{ action, need: SNAPSHOTS_NEED },
    fields: ["store", "hasher"],
  });
}

/**
 * Checks that an argument opens readers.
 *
 * @param source The argument.
 * @param action What it is for.
 * @throws {TypeError} If it is something else.
 */
export function checkReaderSource(source: unknown, action: string): void {
  const fields = ["reader"];
  checkFields({ source }, { action, need: SNAPSHOTS_NEED, fields });
}

/**
 * Checks that an argument names a snapshot.
 *
 * @param record The argument.
 * @param action What it is for.
 * @throws {TypeError} If it is something else, such as an id alone.
 */
export function checkRecord(record: unknown, action: string): void {
  checkFields({ record }, {
    ...{ action, need: "a record, such as save gives" },
    fields: ["tree", "page"],
  });
}

/**
 * Checks that an argument is a `View`.
 *
 * @param view The argument.
 * @param action What it is for.
 * @throws {TypeError} If it is something else.
 */
export function checkView(view: unknown, action: string): void {
  checkFields({ view }, {
    ...{ action, need: "what View.open gives" },
    fields: ["root", "walk"],
  });
}

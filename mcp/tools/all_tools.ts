import { DIFF } from "./diff.ts";
import { FIND } from "./find.ts";
import { LIST } from "./list.ts";
import { LS } from "./ls.ts";
import { READ } from "./read.ts";
import { RESTORE } from "./restore.ts";
import { SAVE } from "./save.ts";
import type { Tool } from "./tool.ts";

/** All tools, in the order in which a client lists them. */
export const ALL_TOOLS: readonly Tool[] = [
  LIST,
  SAVE,
  RESTORE,
  DIFF,
  LS,
  READ,
  FIND,
];

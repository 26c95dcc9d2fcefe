import type { AttributePage } from "./attribute_page.ts";
import type { Tree } from "./tree.ts";
/** stub */
export interface DiffSource {
  tree(id: Uint8Array): Promise<Tree>;
  page?(id: Uint8Array): Promise<AttributePage>;
}

import { checkTagName } from "@snap/store";

/** Whether a text can be the name of a tag. */
export function isTagName(text: string): boolean {
  try {
    checkTagName(text);
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

/** Bytes or text that are not a tree, an attribute page or one of their parts. */
export class ManifestSyntaxError extends SyntaxError {
  /** Where the first wrong byte or character is, from the start of what was read. */
  readonly offset: number;

  /** Makes the error. */
  constructor(message: string, offset: number) {
    super(message);
    this.name = "ManifestSyntaxError";
    this.offset = offset;
  }
}

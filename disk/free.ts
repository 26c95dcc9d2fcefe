/**
 * Frees the memory of arrays that nobody uses any more: a collector comes late, as
 * it takes what lies outside of its heap for small. Node frees nothing before 22.
 */
export function free(...arrays: readonly ArrayBufferView[]): void {
  for (const { buffer } of arrays) {
    (buffer as Partial<Pick<ArrayBuffer, "transfer">>).transfer?.(0);
  }
}

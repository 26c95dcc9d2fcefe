/** Facts that an answer or an error holds, for the error that is made of it. */

/** The pause that an answer asks for in milliseconds: seconds, or a date; 0 if none. */
export function retryAfterOf(headers: Headers, nowMs: number): number {
  const text = headers.get("retry-after");
  if (text === null) return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs);
}

/** Names, codes and messages of an error and its causes, as one text. */
export function textOf(error: unknown): string {
  let text = "";
  let next = error;
  for (let depth = 0; depth < 5 && next instanceof Error; depth++) {
    const code = (next as { code?: unknown }).code;
    text += `${next.name} ${String(code ?? "")} ${next.message}\n`;
    next = next.cause;
  }
  return text;
}

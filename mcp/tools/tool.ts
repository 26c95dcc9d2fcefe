import type {
  CallToolResult,
  JsonSchemaType,
} from "@modelcontextprotocol/server";
import type { Call, Service } from "../service.ts";

/** An answer of a tool. */
export interface ToolAnswer {
  /** As its output schema says. */
  readonly fields: Record<string, unknown>;
  /** What is shown in the place of the fields as JSON. */
  readonly content?: CallToolResult["content"];
}

/** One tool. */
// deno-lint-ignore no-explicit-any -- each has arguments of its own, which its schema has checked
export interface Tool<Args = any> {
  readonly name: string;
  readonly title: string;
  /** Explains it to the model. */
  readonly description: string;
  /** Schema of its arguments. */
  readonly input: JsonSchemaType;
  /** Schema of the fields of its answer. */
  readonly output: JsonSchemaType;
  /** Whether it may change a directory; absent for a tool that only reads. */
  readonly writes?: "store" | "directory";
  /** Does it. */
  run(service: Service, args: Args, call: Call): Promise<ToolAnswer>;
}

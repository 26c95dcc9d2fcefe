/// <reference lib="deno.unstable" />
// Rules that `deno lint` does not have, loaded by `lint.plugins` in the root deno.json.
import { importProblem, isTestFile, packageOf } from "./layers.ts";

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 400;
const ROOT = new URL("..", import.meta.url).pathname;

/** Where the `Deno` namespace may be used; everywhere else source is runtime-neutral. */
const DENO_ALLOWED =
  /^(posix|bench|tests|_tools)\/|^cli\/main\.ts$|_test\.ts$|^(hash|pack\/codec)\/_kernel\/|\/testing\//;

type Context = Deno.lint.RuleContext;
type Visitor = Deno.lint.LintVisitor;

function pathOf(context: Context): string {
  const { filename } = context;
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

function lineCount(text: string): number {
  let count = 1;
  for (
    let at = text.indexOf("\n");
    at !== -1;
    at = text.indexOf("\n", at + 1)
  ) count++;
  return count;
}

function functionLength(context: Context): Visitor {
  const check = (
    node:
      | Deno.lint.FunctionDeclaration
      | Deno.lint.FunctionExpression
      | Deno.lint.ArrowFunctionExpression,
  ): void => {
    const count = lineCount(context.sourceCode.getText(node));
    if (count <= FUNCTION_LINES_MAX) return;
    const message =
      `Function has ${count} lines as at most ${FUNCTION_LINES_MAX} are allowed: there are two ideas in it`;
    context.report({ node, message });
  };
  return {
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
  };
}

function fileLength(context: Context): Visitor {
  if (isTestFile(pathOf(context))) return {};
  return {
    Program(node) {
      const count = lineCount(context.sourceCode.text.trimEnd());
      if (count <= FILE_LINES_MAX) return;
      const message =
        `File has ${count} lines as at most ${FILE_LINES_MAX} are allowed: there are two ideas in it`;
      context.report({ range: [node.range[0], node.range[0]], message });
    },
  };
}

function importDirection(context: Context): Visitor {
  const file = pathOf(context);
  const check = (
    node: Deno.lint.Node,
    source: Deno.lint.Node | null | undefined,
    typeOnly: boolean,
  ): void => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    const message = importProblem({ file, specifier: source.value, typeOnly });
    if (message !== undefined) context.report({ node, message });
  };
  return {
    ImportDeclaration(node) {
      const allTypes = node.specifiers.length > 0 &&
        node.specifiers.every((one) =>
          one.type === "ImportSpecifier" && one.importKind === "type"
        );
      check(node, node.source, node.importKind === "type" || allTypes);
    },
    ExportNamedDeclaration(node) {
      check(node, node.source, node.exportKind === "type");
    },
    ExportAllDeclaration(node) {
      check(node, node.source, node.exportKind === "type");
    },
    ImportExpression(node) {
      check(node, node.source, false);
    },
    TSImportType(node) {
      const argument: Deno.lint.Node = node.argument;
      check(
        node,
        argument.type === "TSLiteralType" ? argument.literal : undefined,
        true,
      );
    },
  };
}

function runtimeNeutral(context: Context): Visitor {
  const file = pathOf(context);
  if (packageOf(file) === undefined || DENO_ALLOWED.test(file)) return {};
  return {
    'Identifier[name="Deno"]'(node: Deno.lint.Identifier) {
      const message =
        "Cannot use Deno here as source is runtime-neutral: use node: or web APIs, or @snap/posix";
      context.report({ node, message });
    },
  };
}

function erasableSyntax(context: Context): Visitor {
  const file = pathOf(context);
  return {
    VariableDeclaration(node) {
      if (packageOf(file) === undefined || isTestFile(file)) return;
      if (!/using$/.test(node.kind)) return;
      const message =
        "Cannot use using here as Node 22 does not parse it: write try and finally";
      context.report({ node, message });
    },
    TSEnumDeclaration(node) {
      context.report({
        node,
        message: "Cannot use enum: write a const object",
      });
    },
    TSParameterProperty(node) {
      context.report({
        node,
        message: "Cannot use a parameter property: write a field",
      });
    },
    ExportDefaultDeclaration(node) {
      if (file === "_tools/lint_plugin.ts") return; // Deno asks a plugin for it.
      context.report({
        node,
        message: "Cannot use a default export: give it a name",
      });
    },
  };
}

/** Returns the first and the last text of a message, or undefined if it is not written in place. */
function messageEnds(
  node: Deno.lint.Node | undefined,
): [string, string] | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") {
    return [node.value, node.value];
  }
  if (node?.type !== "TemplateLiteral") return undefined;
  return [node.quasis[0].cooked, node.quasis.at(-1)!.cooked];
}

function errorMessage(context: Context): Visitor {
  if (isTestFile(pathOf(context))) return {};
  return {
    NewExpression(node) {
      if (
        node.callee.type !== "Identifier" || !node.callee.name.endsWith("Error")
      ) return;
      const ends = messageEnds(node.arguments[0]);
      if (ends === undefined) return;
      const builtIn = /^(Syntax|Type|Range|Aggregate)?Error$/.test(
        node.callee.name,
      );
      const problem = /[.!]$/.test(ends[1])
        ? "ends without a period"
        : /n't\b/.test(ends[0] + ends[1])
        ? "has no contractions"
        : builtIn && /^\p{Ll}/u.test(ends[0])
        ? "begins with a capital letter"
        : undefined;
      if (problem === undefined) return;
      context.report({
        node,
        message: `Cannot keep this error message: it ${problem}`,
      });
    },
  };
}

const plugin: Deno.lint.Plugin = {
  name: "snap",
  rules: {
    "function-length": { create: functionLength },
    "file-length": { create: fileLength },
    "import-direction": { create: importDirection },
    "runtime-neutral": { create: runtimeNeutral },
    "erasable-syntax": { create: erasableSyntax },
    "error-message": { create: errorMessage },
  },
};

export default plugin;

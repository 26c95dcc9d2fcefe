/** The initial value of BLAKE3 and of SHA-256. */
const IV = [
  "0x6A09E667",
  "0xBB67AE85",
  "0x3C6EF372",
  "0xA54FF53A",
  "0x510E527F",
  "0x9B05688C",
  "0x1F83D9AB",
  "0x5BE0CD19",
];
/** How message words move from one round to the next. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUND_COUNT = 7;
/** The state words of the eight quarter rounds: columns, then diagonals. */
const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];
const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7];
/** Byte shuffles that rotate four u32 right by 16 and by 8. */
const ROTATE_16 = "2,3,0,1,6,7,4,5,10,11,8,9,14,15,12,13";
const ROTATE_8 = "1,2,3,0,5,6,7,4,9,10,11,8,13,14,15,12";

/** One half of a quarter round, on one message word. */
type Half = (
  words: number[],
  message: number,
  half: "first" | "second",
) => string;

function rounds(half: Half): string {
  let text = "";
  let order = Array.from({ length: 16 }, (_, i) => i);
  for (let round = 0; round < ROUND_COUNT; round++) {
    QUARTERS.forEach((words, i) => {
      text += half(words, order[2 * i], "first");
      text += half(words, order[2 * i + 1], "second");
    });
    order = PERMUTATION.map((i) => order[i]);
  }
  return text;
}

function lanesHalf(
  [a, b, c, d]: number[],
  message: number,
  half: "first" | "second",
): string {
  const [shuffle, shift] = half === "first" ? [ROTATE_16, 12] : [ROTATE_8, 7];
  return `s${a} = i32x4.add(i32x4.add(s${a}, s${b}), v128.load(MESSAGE, ${
    message * 16
  }));
t = v128.xor(s${d}, s${a}); s${d} = v128.shuffle<u8>(t, t, ${shuffle});
s${c} = i32x4.add(s${c}, s${d}); t = v128.xor(s${b}, s${c});
s${b} = v128.or(i32x4.shr_u(t, ${shift}), i32x4.shl(t, ${32 - shift}));
`;
}

function oneHalf(
  [a, b, c, d]: number[],
  message: number,
  half: "first" | "second",
): string {
  const [first, second] = half === "first" ? [16, 12] : [8, 7];
  return `s${a} = s${a} + s${b} + load<u32>(block, ${message * 4});
s${d} = rotr(s${d} ^ s${a}, ${first}); s${c} = s${c} + s${d}; s${b} = rotr(s${b} ^ s${c}, ${second});
`;
}

/** Turns four vectors of one input each into four of one word each. */
function transpose(
  inputs: string[],
  base: string,
  offsets: number[],
): string {
  const [r0, r1, r2, r3] = inputs;
  const [o0, o1, o2, o3] = offsets;
  return `{
let r0 = ${r0}, r1 = ${r1}, r2 = ${r2}, r3 = ${r3};
let x0 = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5), x1 = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7);
let y0 = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5), y1 = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
v128.store(${base}, v128.shuffle<u64>(x0, y0, 0, 2), ${o0});
v128.store(${base}, v128.shuffle<u64>(x0, y0, 1, 3), ${o1});
v128.store(${base}, v128.shuffle<u64>(x1, y1, 0, 2), ${o2});
v128.store(${base}, v128.shuffle<u64>(x1, y1, 1, 3), ${o3});
}
`;
}

const PARTS: Record<string, () => string> = {
  "lanes key": () =>
    EIGHT.map((i) => `let h${i} = v128.load32_splat(key, ${i * 4});\n`).join(
      "",
    ),
  "lanes message": () =>
    [0, 1, 2, 3].map((group) =>
      transpose(
        [0, 1, 2, 3].map((lane) =>
          `v128.load(p${lane} + offset, ${group * 16})`
        ),
        "MESSAGE",
        [0, 1, 2, 3].map((word) => (group * 4 + word) * 16),
      )
    ).join(""),
  "lanes state": () =>
    EIGHT.map((i) => `let s${i} = h${i};\n`).join("") +
    [0, 1, 2, 3].map((i) => `let s${8 + i} = i32x4.splat(${IV[i]});\n`).join(
      "",
    ) +
    `let s12 = counters; let s13 = i32x4.splat(counterHigh);
let s14 = i32x4.splat(64); let s15 = i32x4.splat(blockFlags);
`,
  "lanes rounds": () => rounds(lanesHalf),
  "lanes feed": () =>
    EIGHT.map((i) => `h${i} = v128.xor(s${i}, s${i + 8});\n`).join(""),
  "lanes store": () =>
    [0, 4].map((i) =>
      transpose(
        [0, 1, 2, 3].map((word) => `h${i + word}`),
        "out",
        [0, 1, 2, 3].map((lane) => lane * 32 + i * 4),
      )
    ).join(""),
  "one state": () =>
    EIGHT.map((i) => `let s${i} = load<u32>(value, ${i * 4});\n`).join("") +
    [0, 1, 2, 3].map((i) => `let s${8 + i}: u32 = ${IV[i]};\n`).join("") +
    `let s12 = counterLow; let s13 = counterHigh; let s14 = size; let s15 = flags;\n`,
  "one rounds": () => rounds(oneHalf),
  "one feed": () =>
    EIGHT.map((i) => `store<u32>(value, s${i} ^ s${i + 8}, ${i * 4});\n`)
      .join(""),
};

/** Replaces the `//# ...` lines of the kernel by the unrolled code they stand for. */
export function expandRounds(source: string): string {
  return source.replaceAll(
    /^\s*\/\/# (.+)$/gm,
    (_line, name: string) => PARTS[name](),
  );
}

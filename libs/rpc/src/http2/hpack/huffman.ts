// The length of each symbol's code in bits, "a" for 5 and so on, of symbols 0 to 255 and of the end of the string (RFC 7541, appendix B).
const lengths =
  "isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhfibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabcccc" +
  "ckgjixprpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrsvvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvww" +
  "wwwxwwwwwvz";

const endOfString = 256;
const shortest = 5;

/** What four bits more lead to from each inner node of the code's tree: 16 entries per node, of the next node, its symbol (`noSymbol` if none ended) and whether it is an error. */
const nextNode: Uint8Array = new Uint8Array(256 * 16);
const symbolAt: Uint16Array = new Uint16Array(256 * 16);
const noSymbol = 0x100;
const broken = 0x200;
/** Whether a string may end at a node: on at most 7 bits, all 1. The root is one; until then the tables are still to be filled. */
const mayEnd: Uint8Array = new Uint8Array(256);

/** The code is canonical: symbols in the order of their lengths, then of their values, have codes that count up. */
function codes(): { symbol: number; code: number; bits: number }[] {
  const order = Array.from(lengths, (letter, symbol) => ({ symbol, bits: letter.charCodeAt(0) - 97 + shortest }));
  order.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  let code = 0;
  let before = shortest;
  return order.map(({ symbol, bits }) => {
    code *= 2 ** (bits - before);
    before = bits;
    return { symbol, bits, code: code++ };
  });
}

/** Two milliseconds of work that a start needn't wait for: many a program is never sent such a string. */
function fillTables(): void {
  // Children of inner nodes: other inner nodes, or ~symbol.
  const children: [number | undefined, number | undefined][] = [[undefined, undefined]];
  for (const { symbol, code, bits } of codes()) {
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const side = Math.floor(code / 2 ** bit) & 1;
      const pair = children[node] ?? [undefined, undefined];
      if (pair[side] === undefined) {
        pair[side] = children.push([undefined, undefined]) - 1;
      }
      node = pair[side] ?? 0;
    }
    const leaf = children[node];
    if (leaf !== undefined) {
      leaf[code & 1] = ~symbol;
    }
  }

  for (let node = 0; node < children.length; node++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let at = node;
      let found = noSymbol;
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[at]?.[(nibble >> bit) & 1] ?? 0;
        if (child >= 0) {
          at = child;
        } else {
          found = ~child === endOfString ? broken : ~child;
          at = 0;
        }
      }
      nextNode[node * 16 + nibble] = at;
      symbolAt[node * 16 + nibble] = found;
    }
  }
  for (let node = 0, depth = 0; depth < 8; depth++) {
    mayEnd[node] = 1;
    node = children[node]?.[1] ?? 0;
  }
}

let room = Buffer.allocUnsafe(1024);

/** What a Huffman-coded string says, a character per byte; undefined if it isn't one (RFC 7541, section 5.2). */
export function huffmanDecode(from: Buffer, start: number, end: number): string | undefined {
  if (mayEnd[0] === 0) {
    fillTables();
  }
  // No code is shorter than 5 bits.
  const most = Math.ceil(((end - start) * 8) / shortest);
  if (room.length < most) {
    room = Buffer.allocUnsafe(most);
  }
  let node = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = from[at] ?? 0;
    for (let half = 0; half < 2; half++) {
      const step = node * 16 + (half === 0 ? byte >> 4 : byte & 15);
      const symbol = symbolAt[step] ?? broken;
      if (symbol < noSymbol) {
        room[length++] = symbol;
      } else if (symbol === broken) {
        return undefined;
      }
      node = nextNode[step] ?? 0;
    }
  }
  return mayEnd[node] === 1 ? room.toString("latin1", 0, length) : undefined;
}

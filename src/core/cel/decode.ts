import {
  arithmeticOps,
  compareOps,
  type EncodedExprs,
  listTypeBase,
  ops,
  stringOps,
  types,
} from "./encoding.ts";
import type { Expr, ExprType, Scalar, ScalarType } from "./expr.ts";

/** Reads operands of one record by their place after the opcode. */
type RecordReader = {
  readonly word: (index: number) => number;
  readonly part: (index: number) => Expr;
  readonly text: (index: number) => string;
  readonly type: (index: number) => ExprType;
  readonly scalar: (index: number, type: ScalarType) => Scalar;
};

/**
 * Makes the reader of encoded conditions: offset of a record -> its expression. Each record is decoded once, so equal parts are one object.
 */
export function createExprReader(encoded: EncodedExprs): (offset: number) => Expr {
  const { words } = encoded;
  const exprs = new Map<number, Expr>();
  const readText = createTextReader(encoded);
  const openRecord = (offset: number): RecordReader => {
    const word = (index: number): number => words[offset + 1 + index]!;
    return {
      word,
      part: (index) => read(word(index)),
      text: (index) => readText(word(index)),
      type: (index) => decodeType(word(index)),
      scalar: (index, type) => {
        switch (type) {
          case "bool":
            return word(index) === 1;
          case "string":
            return readText(word(index));
          default:
            return encoded.numbers[word(index)]!;
        }
      },
    };
  };
  const read = (offset: number): Expr => {
    let expr = exprs.get(offset);
    if (expr === undefined) {
      expr = decodeRecord(ops[words[offset]!]!, openRecord(offset));
      exprs.set(offset, expr);
    }
    return expr;
  };
  return read;
}

function createTextReader({ text, textEnds }: EncodedExprs): (index: number) => string {
  // A byte-order mark inside a text is a character like any other.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const texts = new Map<number, string>();
  return (index) => {
    let value = texts.get(index);
    if (value === undefined) {
      value = decoder.decode(text.subarray(index === 0 ? 0 : textEnds[index - 1]!, textEnds[index]!));
      texts.set(index, value);
    }
    return value;
  };
}

function decodeType(code: number): ExprType {
  return code < listTypeBase ? types[code]! : { list: types[code - listTypeBase]! };
}

function decodeRecord(op: Expr["op"], record: RecordReader): Expr {
  const { word, part, text } = record;
  switch (op) {
    case "const": {
      const type = record.type(0) as ScalarType;
      return { op, type, value: record.scalar(1, type) };
    }
    case "listConst": {
      const list = record.type(0) as ScalarType;
      const values = Array.from({ length: word(1) }, (_, index) => record.scalar(2 + index, list));
      return { op, type: { list }, values };
    }
    case "slot":
      return { op, type: record.type(0), slot: word(1) };
    case "local":
      return { op, type: record.type(0) as ScalarType, depth: word(1) };
    case "has":
      return { op, type: "bool", slot: word(0) };
    case "segment":
      return { op, type: "bool", segment: word(0) };
    case "not":
      return { op, type: "bool", arg: part(0) };
    case "and":
    case "or":
      return { op, type: "bool", args: Array.from({ length: word(0) }, (_, index) => part(1 + index)) };
    case "cond":
      // biome-ignore lint/suspicious/noThenProperty: the typed form names the branches as CEL does; nobody awaits it.
      return { op, type: record.type(0), test: part(1), then: part(2), else: part(3) };
    case "compare":
      return { op, type: "bool", how: compareOps[word(0)]!, left: part(1), right: part(2) };
    case "in":
      return { op, type: "bool", left: part(0), right: part(1) };
    case "inList":
      return { op, type: "bool", left: part(0), list: word(1) };
    case "exists":
    case "all":
      return { op, type: "bool", depth: word(0), list: part(1), body: part(2) };
    case "arithmetic": {
      const type = record.type(0) as ScalarType;
      return { op, type, how: arithmeticOps[word(1)]!, left: part(2), right: part(3) };
    }
    case "negate":
      return { op, type: record.type(0) as ScalarType, arg: part(1) };
    case "string":
      return { op, type: "bool", how: stringOps[word(0)]!, left: part(1), right: part(2) };
    case "matches":
      return { op, type: "bool", left: part(0), pattern: text(1) };
    case "size":
      return { op, type: "int", arg: part(0) };
    case "convert":
      return { op, type: record.type(0) as "int" | "double" | "string", arg: part(1) };
    case "within":
    case "silent":
      return { op, type: "bool", at: part(0), duration: part(1) };
    case "localHour":
    case "localWeekday":
      return { op, type: "int", at: part(0), zone: text(1) };
    case "cidr":
      return { op, type: "bool", ip: part(0), prefix: text(1) };
  }
}

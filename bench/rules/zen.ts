import { ZenEngine } from "@gorules/zen-engine";
import type { CorpusPayment } from "../corpus/payments.ts";
import { type Atom, type CorpusRule, names } from "../corpus/rules.ts";
import { type Contender, runAsync } from "./contender.ts";
import { flattenName, flattenPayment } from "./flat.ts";

/** Facts that get a column of their own in a decision table; conditions on others go to a column of expressions. */
const columns: readonly string[] = Object.values(names);

/** A GoRules ZEN decision table that collects all rows: once with a column per fact, once with one expression per row; the faster counts. */
export async function compileZen(
  rules: readonly CorpusRule[],
  payments: readonly CorpusPayment[],
): Promise<Contender> {
  const byColumns = openTable(rules, payments, { name: "a column per fact", columns });
  const byRows = openTable(rules, payments, { name: "an expression per row", columns: [] });
  const [columnMs, rowMs] = [await time(byColumns), await time(byRows)];
  return columnMs <= rowMs ? byColumns : byRows;
}

async function time(table: Contender): Promise<number> {
  await table.run(0, 3);
  const startMs = performance.now();
  await table.run(0, 7);
  return performance.now() - startMs;
}

function openTable(
  rules: readonly CorpusRule[],
  payments: readonly CorpusPayment[],
  shape: { readonly name: string; readonly columns: readonly string[] },
): Contender {
  const decision = new ZenEngine().createDecision(writeGraph(rules, shape.columns));
  const inputs = payments.map(flattenPayment);
  const match = async (payment: number): Promise<readonly number[]> => {
    const { result } = await decision.evaluate(inputs[payment]);
    return (result as readonly { readonly ordinal: number }[]).map(({ ordinal }) => ordinal);
  };
  const form = `decision table, collect, ${shape.name}`;
  return { name: "@gorules/zen-engine", form, match, run: runAsync(match, payments.length) };
}

function writeGraph(rules: readonly CorpusRule[], columnNames: readonly string[]): object {
  const inputs = columnNames.map((name) => ({ id: flattenName(name), name, field: flattenName(name) }));
  return {
    nodes: [
      { id: "in", type: "inputNode", name: "in", position: { x: 0, y: 0 } },
      {
        id: "table",
        type: "decisionTableNode",
        name: "table",
        position: { x: 1, y: 0 },
        content: {
          hitPolicy: "collect",
          inputs: [...inputs, { id: "others", name: "others" }],
          outputs: [{ id: "ordinal", name: "ordinal", field: "ordinal" }],
          rules: rules.map((rule, ordinal) => writeRow(rule, ordinal, columnNames)),
        },
      },
      { id: "out", type: "outputNode", name: "out", position: { x: 2, y: 0 } },
    ],
    edges: [
      { id: "e1", type: "edge", sourceId: "in", targetId: "table" },
      { id: "e2", type: "edge", sourceId: "table", targetId: "out" },
    ],
  };
}

function writeRow(rule: CorpusRule, ordinal: number, columnNames: readonly string[]): object {
  const cells = new Map<string, string[]>();
  const others: string[] = [];
  for (const atom of rule.atoms) {
    const name = findColumn(atom, columnNames);
    if (name === undefined || rule.matchUnknown) {
      others.push(writeExpression(atom, rule.matchUnknown));
    } else {
      cells.set(name, [...(cells.get(name) ?? []), writeCell(atom)]);
    }
  }
  return {
    _id: rule.id,
    ...Object.fromEntries(
      columnNames.map((name) => [flattenName(name), (cells.get(name) ?? []).join(" and ")]),
    ),
    others: others.join(" and "),
    ordinal: String(ordinal),
  };
}

/** The column whose cells can say the atom. */
function findColumn(atom: Atom, columnNames: readonly string[]): string | undefined {
  switch (atom.kind) {
    case "oneOf":
    case "notEqual":
    case "atLeast":
    case "below":
      return columnNames.find((name) => name === atom.name);
    case "flag":
    case "segment":
    case "inList":
    case "any":
      return undefined;
  }
}

/** A unary test: what it looks at is the column's fact. */
function writeCell(atom: Atom): string {
  switch (atom.kind) {
    case "oneOf":
      return atom.values.map(quote).join(", ");
    case "notEqual":
      return `!= ${quote(atom.value)}`;
    case "atLeast":
      return `>= ${atom.bound}`;
    case "below":
      return `< ${atom.bound}`;
    case "inList":
    case "flag":
    case "segment":
    case "any":
      throw new Error(`a cell cannot hold ${atom.kind}`);
  }
}

function writeExpression(atom: Atom, matchUnknown: boolean): string {
  switch (atom.kind) {
    case "oneOf": {
      const at = flattenName(atom.name);
      const holds =
        atom.values.length === 1
          ? `${at} == ${quote(atom.values[0]!)}`
          : `${at} in [${atom.values.map(quote).join(", ")}]`;
      return matchUnknown ? `(${at} == null or ${holds})` : holds;
    }
    case "notEqual":
    case "atLeast":
    case "below":
      return `${flattenName(atom.name)} ${writeCell(atom)}`;
    case "flag":
      return `${flattenName(atom.name)} == true`;
    case "segment":
      return `${quote(atom.id)} ${atom.wanted ? "in" : "not in"} segments`;
    case "inList":
      return `${quote(atom.list)} in lists`;
    case "any": {
      const choices = atom.choices.map(
        (choice) => `(${choice.map((part) => writeExpression(part, matchUnknown)).join(" and ")})`,
      );
      return `(${choices.join(" or ")})`;
    }
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}

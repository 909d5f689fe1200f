import type { Command } from "commander";
import type { Runner } from "../session.ts";
import { addRuleChangeCommands } from "./rules-change.ts";
import { addRuleDiffCommand } from "./rules-diff.ts";
import { addRuleReadCommands } from "./rules-read.ts";
import { addRuleSimulateCommand } from "./rules-simulate.ts";
import { addRuleValidateCommand } from "./rules-validate.ts";

/** `switchyard rules ...`: the life of rule sets. */
export function addRuleCommands(program: Command, run: Runner): void {
  const rules = program.command("rules").description("the life of rule sets");
  addRuleValidateCommand(rules, run);
  addRuleChangeCommands(rules, run);
  addRuleReadCommands(rules, run);
  addRuleDiffCommand(rules, run);
  addRuleSimulateCommand(rules, run);
}

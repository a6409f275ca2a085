// Budgets, as a recorded engine counts them.
import { detail, line, prices } from "../../testing/budgets";
import type { BudgetDto } from "../bindings/BudgetDto";
import { EngineError } from "../client";
import { demandForHigh } from "./presence";
import { type Handlers, notFound, type World } from "./world";

const flat = (world: World): BudgetDto[] =>
  world.budgets.flatMap(({ id, model, scope, window, unit, limit, onExhausted, file, line: at, accounts }) =>
    accounts.map(({ account, windowStart, settled, reserved, free }) => ({ id, account, model, scope, window, windowStart, unit, limit, settled, reserved, free, onExhausted, file, line: at })),
  );

export const budgets: Handlers<"budgets.lines" | "budgets.get" | "budgets.prices" | "budgets.set" | "budgets.remove"> = {
  "budgets.lines": (world) => world.budgets.map((one) => ({ ...one })),
  "budgets.get": (world, { budget, account }) => {
    const found = world.budgets.find((one) => one.id === budget);
    if (!found) throw notFound(`no budget \`${budget}\``);
    return detail({ ...found }, account, world.budgets, Date.now());
  },
  "budgets.prices": (_world, { find }) => prices(find),
  "budgets.set": (world, { id, scope, window, unit, amount, model, onExhausted, proof }) => {
    const known = world.budgets.find((one) => one.id === id);
    if (known && !known.editable) throw new EngineError({ code: "failed", message: `budget \`${id}\` is written in \`${known.file}\` line ${known.line}, which Reeve never rewrites: change it there`, hint: null });
    const same = known && known.scope === scope && known.window === window && known.model === model && known.unit === unit;
    if (known && (!same || amount > known.limit || (known.onExhausted === "deny" && onExhausted !== "deny"))) demandForHigh(world, `raising the limit \`${id}\``, proof);
    const kept = (known?.accounts ?? []).map((one) => ({ ...one, free: amount - one.settled - one.reserved }));
    const next = line(id, scope, { window, unit, limit: amount, model, onExhausted: onExhausted ?? "askUnderFloor", accounts: kept });
    world.budgets = known ? world.budgets.map((one) => (one.id === id ? next : one)) : [...world.budgets, next];
    return flat(world);
  },
  "budgets.remove": (world, { budget, proof }) => {
    if (!world.budgets.some((one) => one.id === budget)) throw notFound(`no budget \`${budget}\``);
    demandForHigh(world, `removing the limit \`${budget}\``, proof);
    world.budgets = world.budgets.filter((one) => one.id !== budget);
    return flat(world);
  },
};

// A row that is not of today, and the cost of a call that no budget counted.
import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { FakeEngine } from "../../../engine/fake";
import { renderOn } from "../../../testing/render";
import { row } from "../../../testing/story";
import { CostPart } from "./pane-parts";
import { Row } from "./row";

const at = new Date(2026, 10, 19, 14, 3, 22, 118);
const shownOn = (today: Date) => renderOn("empty", <Row tried={[]} row={row(5, at.toISOString(), {})} index={0} selected={false} looks={{ width: 80, oneLine: false, roomy: false, today: today.toDateString() }} top={0} onOpen={() => {}} />);
const when = () => screen.getAllByRole("gridcell")[0]?.textContent;

describe("a row", () => {
  it("shows its time today", () => {
    shownOn(at);
    expect(when()).toBe("14:03:22.118");
  });

  it("shows its day on every other day", () => {
    shownOn(new Date(2026, 10, 20));
    expect(when()).toBe("19 Nov 14:03");
  });
});

describe("the cost of a call", () => {
  it("says so when no budget counted it", async () => {
    const engine = new FakeEngine("story");
    const page = await engine.call({ call: "operations.search", input: { query: "kind:llm", before: null, limit: 1 } });
    const detail = await engine.call({ call: "operations.get", input: { operation: page.rows[0]!.id } });
    renderOn("story", <CostPart detail={{ ...detail, cost: { ...detail.cost!, accounts: [] } }} />);
    expect(screen.getByText("no budget")).toBeTruthy();
  });
});

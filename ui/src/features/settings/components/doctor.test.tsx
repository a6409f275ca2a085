import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { renderOn } from "../../../testing/render";
import { Doctor } from "./doctor";

/** The row of a check, once the doctor has looked. */
async function row(name: string): Promise<HTMLElement> {
  const found = (await screen.findByText(name, { selector: "li > span bdi" })).closest("li");
  if (!found) throw new Error(`no row ${name}`);
  return found;
}

const look = () => fireEvent.click(screen.getByRole("button", { name: "Run all checks" }));

describe("the doctor", () => {
  it("draws a command to copy, an advice as a sentence, and nothing where all is well", async () => {
    renderOn("story", <Doctor />);
    look();
    const command = within(await row("policy"));
    expect(command.getByText("reeve policy acknowledge --mine").tagName).toBe("CODE");
    expect(command.getByRole("button", { name: "Copy" })).toBeTruthy();
    const advice = within(await row("trust: node"));
    expect(advice.getByText("see README, trust per runtime.")).toBeTruthy();
    expect(advice.queryByRole("button")).toBeNull();
    expect(within(await row("clock")).queryByRole("button")).toBeNull();
  });

  it("asks for exactly the steps that it showed, and looks again", async () => {
    const engine = renderOn("story", <Doctor />);
    look();
    fireEvent.click(within(await row("left over")).getByRole("button", { name: /^Repair…/ }));
    const dialog = within(await screen.findByRole("dialog"));
    const steps = dialog.getAllByRole("listitem").map((step) => step.textContent);
    expect(engine.heard.some((one) => one.call === "status.repair")).toBe(false);
    fireEvent.click(dialog.getByRole("button", { name: "Repair" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await waitFor(async () => expect((await row("left over")).textContent).toContain("nothing of engines"));
    const asked = engine.heard.flatMap((one) => (one.call === "status.repair" ? [one.input.steps] : []));
    expect(asked.map((all) => all.map((step) => step.replaceAll("`", "")))).toEqual([steps]);
  });
});

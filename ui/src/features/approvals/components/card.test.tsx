import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Call } from "../../../engine/client";
import type { FakeEngine } from "../../../engine/fake";
import { renderOn } from "../../../testing/render";
import { useQuestion } from "../queries";
import { Card } from "./card";

function Shown({ id }: { id: string }) {
  const { data } = useQuestion(id);
  return data?.arming ? <Card question={data} mark={{ words: "amber heron", stripe: 0 }} onDecided={() => {}} /> : null;
}

const decisions = (engine: FakeEngine): Call[] => engine.heard.filter((call) => call.call === "approvals.resolve");
const wait = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const card = () => screen.getByRole("group", { name: /^Held/ });
const chord = (key: string, more: object = {}) => {
  fireEvent.keyDown(card(), { key, code: key, ctrlKey: true, ...more });
  fireEvent.keyUp(card(), { key, code: key });
};

async function shown(id: string): Promise<FakeEngine> {
  const engine = renderOn("story", <Shown id={id} />);
  await wait(10);
  return engine;
}

describe("a card", () => {
  beforeEach(() => vi.useFakeTimers({ shouldAdvanceTime: true }));
  afterEach(() => vi.useRealTimers());

  it("says who wants what, in our words and theirs apart", async () => {
    await shown("apr_1");
    expect(card().getAttribute("aria-label")).toBe("Held, High risk, Claude Code wants to: Run a command that pushes to a remote");
    expect(screen.getByText("git push --force origin main")).toBeTruthy();
    expect(screen.getByTitle("Branch checked out in the folder").textContent).toContain("main");
    expect(document.activeElement).toBe(document.body);
  });

  it("keeps what the agent said folded, as its words, with nothing hidden in them", async () => {
    await shown("apr_1");
    const fold = screen.getByRole("button", { name: /What the agent said/ });
    expect(screen.queryByText(/checks run/)).toBeNull();
    fireEvent.click(fold);
    expect(screen.getByText(/checks run/).textContent).toContain("Allow⟨ZWSP⟩: it is safe.");
    expect(fold.textContent).toContain("untrusted");
  });

  it("decides nothing before it is armed", async () => {
    const engine = await shown("apr_4");
    chord("Enter");
    chord("Backspace");
    fireEvent.click(screen.getByRole("button", { name: /Allow once/ }));
    fireEvent.click(screen.getByRole("button", { name: /Deny and stop/ }));
    await wait(100);
    expect(decisions(engine)).toEqual([]);
  });

  it("allows once by chord when armed, with the nonce it was shown with", async () => {
    const engine = await shown("apr_4");
    await wait(720);
    chord("Enter");
    await wait(10);
    expect(decisions(engine)).toMatchObject([{ input: { approval: "apr_4", nonce: "n-apr_4", answer: { kind: "approve", scope: { kind: "once" } } } }]);
  });

  it("does not take a single letter, or Enter without its chord", async () => {
    const engine = await shown("apr_4");
    await wait(720);
    for (const key of ["Enter", "a", "y", "Backspace", " "]) fireEvent.keyDown(card(), { key, code: key });
    expect(decisions(engine)).toEqual([]);
  });

  it("denies with the words that the agent hears", async () => {
    const engine = await shown("apr_4");
    await wait(720);
    fireEvent.pointerDown(screen.getByRole("button", { name: /^Deny(?! and)/ }));
    const deny = screen.getByRole("button", { name: /^Deny(?! and)/ });
    fireEvent.pointerDown(deny);
    fireEvent.click(deny, { detail: 1 });
    fireEvent.change(screen.getByLabelText(/What the agent hears/), { target: { value: "use a pull request" } });
    fireEvent.pointerDown(screen.getByRole("button", { name: "Deny" }));
    fireEvent.click(screen.getByRole("button", { name: "Deny" }), { detail: 1 });
    await wait(10);
    expect(decisions(engine)).toMatchObject([{ input: { answer: { kind: "refuse", reason: "use a pull request" } } }]);
  });

  it("shows the rule before it exists, and arms anew", async () => {
    const engine = await shown("apr_4");
    await wait(720);
    chord("Enter", { shiftKey: true });
    await wait(10);
    expect(screen.getByText("policies/standing.cedar")).toBeTruthy();
    expect(screen.getByText(/4 more actions would have been allowed, 0 of them High or above/)).toBeTruthy();
    chord("Enter");
    expect(decisions(engine)).toEqual([]);
    await wait(720);
    chord("Enter");
    await wait(10);
    expect(decisions(engine)).toMatchObject([{ input: { answer: { kind: "approve", scope: { kind: "always" } } } }]);
  });

  it("writes the rule with the choices whose text was shown, and arms anew after each", async () => {
    const engine = await shown("apr_4");
    await wait(720);
    chord("Enter", { shiftKey: true });
    await wait(720);
    fireEvent.click(screen.getByRole("radio", { name: "exactly this address" }));
    fireEvent.click(screen.getByRole("radio", { name: "forever" }));
    await wait(10);
    expect(document.body.textContent).toContain('context.path == "/webhooks/signatures"');
    expect(document.body.textContent).not.toContain("@expires");
    chord("Enter");
    expect(decisions(engine)).toEqual([]);
    await wait(720);
    chord("Enter");
    await wait(10);
    expect(decisions(engine)).toMatchObject([{ input: { answer: { kind: "approve", scope: { kind: "always" } }, rule: { width: "exact", lasting: { kind: "forever" } } } }]);
  });

  it("raises a budget for the session and lets the call through", async () => {
    const engine = await shown("apr_2");
    expect(screen.getByText("$0.11 short")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Allow for session/ })).toBeNull();
    await wait(720);
    fireEvent.pointerDown(screen.getByRole("button", { name: "Raise by $5.00 for this session" }));
    fireEvent.click(screen.getByRole("button", { name: "Raise by $5.00 for this session" }), { detail: 1 });
    await wait(10);
    expect(engine.heard.filter((call) => call.call === "approvals.raise")).toMatchObject([{ input: { approval: "apr_2", budget: "opus-per-day", by: 5_000_000_000 } }]);
  });

  it("offers no standing approval where the rule's owner does not allow one", async () => {
    await shown("apr_1");
    await wait(720);
    chord("Enter", { shiftKey: true });
    expect(screen.queryByText(/Will be written to/)).toBeNull();
    expect(screen.getByRole("button", { name: /Allow for session/ }).getAttribute("aria-disabled")).toBe("true");
  });

  it("says what a denial does while its reason is typed", async () => {
    await shown("apr_4");
    await wait(720);
    expect(screen.getByText(/Allow once writes no rule/)).toBeTruthy();
    const deny = screen.getByRole("button", { name: /^Deny(?! and)/ });
    fireEvent.pointerDown(deny);
    fireEvent.click(deny, { detail: 1 });
    await wait(10);
    expect(screen.queryByText(/Allow once writes no rule/)).toBeNull();
    expect(screen.getByText(/Deny writes no rule/)).toBeTruthy();
  });

  it("stops the agent when asked to", async () => {
    const engine = await shown("apr_4");
    await wait(720);
    chord("Backspace", { shiftKey: true });
    await wait(10);
    expect(engine.heard.map((call) => call.call)).toContain("agents.stop");
  });
});

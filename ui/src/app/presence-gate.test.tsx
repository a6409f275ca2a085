import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { type Answer, type Call, EngineError } from "../engine/client";
import { FakeEngine } from "../engine/fake";
import { createQueryClient, useEngine } from "../engine/query";
import { Providers } from "./providers";

const PAUSE: Call = { call: "status.pause", input: { minutes: null, proof: null } };

/** The system confirms only when the test says so, and what is then asked of the engine is written down. */
class Slow extends FakeEngine {
  confirm: () => void = () => undefined;
  private readonly confirmed = new Promise<void>((resolve) => (this.confirm = resolve));
  paused: Call[] = [];

  override async call<C extends Call>(wanted: C): Promise<Answer<C>> {
    if (wanted.call === "approvals.presence") return { set: false, alsoHigh: false, system: { name: "polkit", problem: null } } as Answer<C>;
    if (wanted.call === "approvals.confirm") {
      await this.confirmed;
      return { proof: "it is them" } as Answer<C>;
    }
    if (wanted.call === "status.pause") {
      this.paused.push(wanted);
      if (wanted.input.proof !== "it is them") throw new EngineError({ code: "needsProof", message: "pausing needs your confirmation", hint: null });
      return {} as Answer<C>;
    }
    return super.call(wanted);
  }
}

function Pause({ tell }: { tell: (word: string) => void }) {
  const engine = useEngine();
  return <button onClick={() => void engine.call(PAUSE).then(() => tell("paused"), () => tell("refused"))}>pause</button>;
}

async function asked(): Promise<{ engine: Slow; told: string[] }> {
  const engine = new Slow("story");
  const told: string[] = [];
  render(
    <Providers engine={engine} client={createQueryClient()}>
      <Pause tell={(word) => told.push(word)} />
    </Providers>,
  );
  fireEvent.click(screen.getByRole("button", { name: "pause" }));
  await screen.findByRole("dialog");
  return { engine, told };
}

describe("a question that the system puts", () => {
  it("is carried out when its person confirms it", async () => {
    const { engine, told } = await asked();
    engine.confirm();
    await waitFor(() => expect(told).toEqual(["paused"]));
    expect(engine.paused).toHaveLength(2);
  });

  it("changes nothing any more once it was given up, whatever the system answers later", async () => {
    const { engine, told } = await asked();
    fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(told).toEqual(["refused"]));
    engine.confirm();
    await new Promise((over) => setTimeout(over, 50));
    expect(engine.paused).toHaveLength(1);
    expect(told).toEqual(["refused"]);
  });
});

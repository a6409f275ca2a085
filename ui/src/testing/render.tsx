// Draws a component on a recorded engine.
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { Providers } from "../app/providers";
import { FakeEngine, type StateName } from "../engine/fake";
import { createQueryClient } from "../engine/query";

export function renderOn(state: StateName, node: ReactNode): FakeEngine {
  const engine = new FakeEngine(state);
  render(
    <Providers engine={engine} client={createQueryClient()}>
      {node}
    </Providers>,
  );
  return engine;
}

// Everything a screen stands on: the engine, its cache, its stream, toasts.
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { Toasts } from "../components/toasts";
import type { Engine } from "../engine/client";
import { startStream } from "../engine/stream";
import { PresenceGate } from "./presence-gate";

export function Providers({ engine, client, children }: { engine: Engine; client: QueryClient; children: ReactNode }) {
  useEffect(() => startStream(engine, client), [engine, client]);
  return (
    <QueryClientProvider client={client}>
      <PresenceGate engine={engine}>
        <Toasts>{children}</Toasts>
      </PresenceGate>
    </QueryClientProvider>
  );
}

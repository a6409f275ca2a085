// Everything a screen stands on: the engine, its cache, its stream, toasts.
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { Toasts } from "../components/toasts";
import type { Engine } from "../engine/client";
import { EngineContext } from "../engine/query";
import { startStream } from "../engine/stream";

export function Providers({ engine, client, children }: { engine: Engine; client: QueryClient; children: ReactNode }) {
  useEffect(() => startStream(engine, client), [engine, client]);
  return (
    <EngineContext value={engine}>
      <QueryClientProvider client={client}>
        <Toasts>{children}</Toasts>
      </QueryClientProvider>
    </EngineContext>
  );
}

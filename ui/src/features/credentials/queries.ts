// Reads and writes of credentials. A call that carries a secret is made directly: a mutation would keep its input.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { CredentialDto } from "../../engine/bindings/CredentialDto";
import type { CredentialsCall } from "../../engine/bindings/CredentialsCall";
import { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

export function useCredentials() {
  return useCall({ call: "credentials.list" });
}

/** How many actions of the last seven days used it. */
export function useUses(credential: string) {
  return useCall({ call: "operations.facets", input: { query: usesQuery(credential), binsOf: null } });
}

export function usesQuery(credential: string): string {
  return `credential:${credential} since:7d`;
}

export type Change = Exclude<CredentialsCall, { call: "credentials.list" | "credentials.test" }>;

/** Sends one change; nothing of it is kept here. */
export function useChange() {
  const engine = useEngine();
  const client = useQueryClient();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<EngineError | null>(null);
  const send = async (change: Change): Promise<boolean> => {
    setPending(true);
    setError(null);
    try {
      const all: CredentialDto[] = await engine.call(change);
      client.setQueryData(keyOf({ call: "credentials.list" }), all);
      return true;
    } catch (thrown) {
      setError(EngineError.from(thrown));
      return false;
    } finally {
      setPending(false);
    }
  };
  return { send, pending, error };
}

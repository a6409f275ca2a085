// Reads and writes of credentials. A call that carries a secret is made directly: a mutation would keep its input.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { BindingDto } from "../../engine/bindings/BindingDto";
import type { CredentialDto } from "../../engine/bindings/CredentialDto";
import type { CredentialsCall } from "../../engine/bindings/CredentialsCall";
import type { CredentialTestDto } from "../../engine/bindings/CredentialTestDto";
import type { DraftDto } from "../../engine/bindings/DraftDto";
import type { EnvFileDto } from "../../engine/bindings/EnvFileDto";
import type { EnvFileInput } from "../../engine/bindings/EnvFileInput";
import type { FileChangeDto } from "../../engine/bindings/FileChangeDto";
import type { ImportInput } from "../../engine/bindings/ImportInput";
import type { ImportedDto } from "../../engine/bindings/ImportedDto";
import type { PolicyStateDto } from "../../engine/bindings/PolicyStateDto";
import { EngineError } from "../../engine/client";
import { keyOf, useCall, useEngine } from "../../engine/query";

export function useCredentials() {
  return useCall({ call: "credentials.list" });
}

/** Where secrets are kept, and whether they can be had now. */
export function useKeeping() {
  return useCall({ call: "credentials.keeping" }, { gcTime: 0 });
}

/** How many actions this query finds, and whose they are. */
export function useUses(query: string) {
  return useCall({ call: "operations.facets", input: { query } });
}

/** The actions of the last seven days that used it; `place`: those at its host. */
export function usesQuery(credential: string, place?: BindingDto): string {
  const there = place ? ` host:"${place.host}"${place.port === 443 ? "" : ` port:${place.port}`}` : "";
  return `credential:${credential}${there} since:7d`;
}

/** The last actions that used it. */
export function useLastUses(credential: string) {
  return useCall({ call: "operations.search", input: { query: `credential:${credential}`, before: null, limit: 5 } }, { gcTime: 0 });
}

export function useRules() {
  return useCall({ call: "policies.list" });
}

/** A change of the rules: read, weighed over the last days, and written on the state that it was weighed on. */
export function useDraft(change: FileChangeDto) {
  const engine = useEngine();
  const client = useQueryClient();
  const draft: DraftDto = { changes: [change], complete: false };
  const { data: state } = useCall({ call: "policies.state" }, { gcTime: 0 });
  const check = useCall({ call: "policies.check", input: { draft } }, { gcTime: 0 });
  const replay = useCall({ call: "policies.replay", input: { draft, since: null } }, { enabled: check.data?.ready === true, gcTime: 0 });
  const save = useMutation<PolicyStateDto, EngineError>({
    mutationFn: () => engine.call({ call: "policies.save", input: { draft, base: state?.revision ?? null, note: null } }),
    onSuccess: async () => {
      await Promise.all((["policies.list", "policies.state", "policies.files", "policies.history"] as const).map((call) => client.invalidateQueries({ queryKey: keyOf({ call }) })));
    },
  });
  return { checked: check.data, replay: state === undefined ? undefined : replay.data, error: check.error ?? replay.error, save };
}

/** Rules that name it: they decide nothing any more once it is gone. */
export function useRulesNaming(credential: string) {
  const { data = [] } = useRules();
  return data.filter((rule) => rule.text.includes("context.credential") && rule.text.includes(`"${credential}"`));
}

export function useAgents() {
  return useCall({ call: "agents.list" });
}

/** What was tried; `send` sends one read to a place, which was shown before. */
export function useTest(credential: string) {
  const engine = useEngine();
  return useMutation<CredentialTestDto, EngineError, number | null>({ mutationFn: (send) => engine.call({ call: "credentials.test", input: { credential, send } }) });
}

export type Change = Exclude<CredentialsCall, { call: "credentials.list" | "credentials.test" | "credentials.scan" | "credentials.import" | "credentials.keeping" }>;

/** Runs one call that may carry a secret; nothing of it is kept here. */
function useDirect() {
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<EngineError | null>(null);
  const run = async <T>(work: () => Promise<T>): Promise<T | null> => {
    setPending(true);
    setError(null);
    try {
      return await work();
    } catch (thrown) {
      setError(EngineError.from(thrown));
      return null;
    } finally {
      setPending(false);
    }
  };
  return { run, pending, error };
}

export function useChange() {
  const engine = useEngine();
  const client = useQueryClient();
  const { run, pending, error } = useDirect();
  const send = async (change: Change): Promise<boolean> => {
    const all = await run<CredentialDto[]>(() => engine.call(change));
    if (all) client.setQueryData(keyOf({ call: "credentials.list" }), all);
    return all !== null;
  };
  return { send, pending, error };
}

export function useImport() {
  const engine = useEngine();
  const client = useQueryClient();
  const { run, pending, error } = useDirect();
  const scan = (from: EnvFileInput) => run<EnvFileDto>(() => engine.call({ call: "credentials.scan", input: from }));
  const take = async (input: ImportInput): Promise<ImportedDto | null> => {
    const done = await run<ImportedDto>(() => engine.call({ call: "credentials.import", input }));
    if (done) client.setQueryData(keyOf({ call: "credentials.list" }), done.credentials);
    else void client.invalidateQueries({ queryKey: keyOf({ call: "credentials.list" }) });
    return done;
  };
  return { scan, take, pending, error };
}

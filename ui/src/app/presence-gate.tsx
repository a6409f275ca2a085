// One question for everything that loosens protection: where the engine demands a human, the system asks them, or else the passphrase is
// asked for or a first one chosen, and the call is made again with what proves it. No screen knows of it. Nothing typed is kept here.
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../components/button";
import { DialogForm, FIELD } from "../components/form";
import { Modal } from "../components/modal";
import { Prose } from "../components/prose";
import { type Answer, type Call, type Engine, EngineError } from "../engine/client";
import { EngineContext, keyOf } from "../engine/query";

type Provable = Extract<Call, { call: "budgets.set" | "budgets.remove" | "settings.set" | "status.pause" | "policies.save" | "policies.acknowledge" | "audit.set_retention" | "audit.wipe" | "approvals.set_presence" }>;

const PROVABLE: Record<Provable["call"], true> = { "budgets.set": true, "budgets.remove": true, "settings.set": true, "status.pause": true, "policies.save": true, "policies.acknowledge": true, "audit.set_retention": true, "audit.wipe": true, "approvals.set_presence": true };

function isProvable(call: Call): call is Provable {
  return call.call in PROVABLE;
}

/** The same call with what proves it. */
function withProof<C extends Call>(call: C, proof: string): C {
  if (call.call === "approvals.set_presence") return { ...call, input: { ...call.input, old: proof } };
  return "input" in call ? { ...call, input: { ...call.input, proof } } : call;
}

/** A call that waits for its person. */
type Asked = {
  id: string;
  why: EngineError;
  /** Whether there is a passphrase to ask for. */
  set: boolean;
  /** The system's method, while it asks instead. */
  system: string | null;
  /** Makes the call again, unless it was given up meanwhile; rejects where the passphrase is not taken. */
  again: (proof: string) => Promise<void>;
  /** Nobody proved anything: the call ends as it was refused. */
  give: () => void;
};

export function PresenceGate({ engine, children }: { engine: Engine; children: ReactNode }) {
  const [asked, setAsked] = useState<readonly Asked[]>([]);
  const gated = useMemo<Engine>(() => {
    async function call<C extends Call>(wanted: C): Promise<Answer<C>> {
      try {
        return await engine.call(wanted);
      } catch (thrown) {
        const why = EngineError.from(thrown);
        if (why.code !== "needsProof" || !isProvable(wanted)) throw why;
        const { set, system } = await engine.call({ call: "approvals.presence" });
        const asks = system?.problem === null ? system.name : null;
        // Its own form asks for the passphrase.
        if (wanted.call === "approvals.set_presence" && asks === null) throw why;
        return new Promise((resolve, reject) => {
          // The system may answer after its person gave up here.
          let over = false;
          const one: Asked = {
            id: crypto.randomUUID(),
            why,
            set,
            system: asks,
            again: async (proof) => {
              if (over) return;
              try {
                resolve(await engine.call(withProof(wanted, proof)));
              } catch (error) {
                const refused = EngineError.from(error);
                if (refused.code === "needsProof") throw refused;
                // It was them, and it cannot be done: that is for the screen to say.
                reject(refused);
              }
              setAsked((all) => all.filter((other) => other !== one));
            },
            give: () => {
              over = true;
              setAsked((all) => all.filter((other) => other !== one));
              reject(why);
            },
          };
          setAsked((all) => [...all, one]);
        });
      }
    }
    return { call, subscribe: (listener) => engine.subscribe(listener), leave: (really) => engine.leave(really), login: (on) => engine.login(on) };
  }, [engine]);
  const first = asked[0];
  return (
    <EngineContext value={gated}>
      {children}
      {first ? <Question key={first.id} asked={first} engine={engine} /> : null}
    </EngineContext>
  );
}

function Question({ asked, engine }: { asked: Asked; engine: Engine }) {
  const [instead, setInstead] = useState<{ error: EngineError | null } | null>(null);
  if (asked.system !== null && instead === null) return <SystemQuestion asked={asked} system={asked.system} engine={engine} onInstead={(error) => setInstead({ error })} />;
  return <PassphraseQuestion asked={asked} engine={engine} why={instead?.error ?? null} />;
}

/** The system asks in a window of its own, once as soon as this is shown; who has no such window is asked for the passphrase. */
function SystemQuestion({ asked, system, engine, onInstead }: { asked: Asked; system: string; engine: Engine; onInstead: (error: EngineError | null) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<EngineError | null>(null);
  const begun = useRef(false);
  const ask = async () => {
    setBusy(true);
    setError(null);
    try {
      const { proof } = await engine.call({ call: "approvals.confirm" });
      await asked.again(proof);
    } catch (thrown) {
      const why = EngineError.from(thrown);
      setBusy(false);
      if (why.code === "notPermitted" || why.code === "needsProof") return setError(why);
      void client.invalidateQueries({ queryKey: keyOf({ call: "approvals.presence" }) });
      onInstead(why);
    }
  };
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    void ask();
  });
  const other = asked.set && !busy ? <Button large onClick={() => onInstead(null)}>{t("presence.instead")}</Button> : null;
  return (
    <Modal title={t("presence.title")} open onOpen={(open) => (open ? undefined : asked.give())}>
      <OwnEscape asked={asked}>
        <DialogForm submit={t("presence.askAgain")} inert={busy} error={error} onCancel={asked.give} onSubmit={() => void ask()} other={other}>
          <p className="first-letter:uppercase">
            <Prose text={asked.why.message} />
            {"."}
          </p>
          <p role="status" className="text-t2">
            {busy ? t("presence.asks", { system }) : null}
          </p>
        </DialogForm>
      </OwnEscape>
    </Modal>
  );
}

/** Escape gives up this question and not the form below it. */
function OwnEscape({ asked, children }: { asked: Asked; children: ReactNode }) {
  return (
    <div
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        asked.give();
      }}
    >
      {children}
    </div>
  );
}

function PassphraseQuestion({ asked, engine, why }: { asked: Asked; engine: Engine; why: EngineError | null }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<EngineError | null>(why);
  const [set, setSet] = useState(asked.set);
  // Read once, when it is sent, and gone from the field.
  const send = async () => {
    const typed = field.current?.value ?? "";
    if (field.current) field.current.value = "";
    setBusy(true);
    setError(null);
    try {
      if (!set) {
        const presence = await engine.call({ call: "approvals.set_presence", input: { old: null, new: typed, alsoHigh: null } });
        client.setQueryData(keyOf({ call: "approvals.presence" }), presence);
        setSet(true);
      }
      await asked.again(typed);
    } catch (thrown) {
      const { code, message, hint } = EngineError.from(thrown);
      // Where it is to be given is here.
      setError(new EngineError({ code, message, hint: code === "needsProof" ? null : hint }));
      setBusy(false);
      field.current?.focus();
    }
  };
  return (
    <Modal title={t(set ? "presence.title" : "presence.first")} open onOpen={(open) => (open ? undefined : asked.give())}>
      <OwnEscape asked={asked}>
        <DialogForm submit={t(set ? "presence.go" : "presence.setAndGo")} inert={busy} error={error} onCancel={asked.give} onSubmit={() => void send()}>
          <p className="first-letter:uppercase">
            <Prose text={asked.why.message} />
            {"."}
          </p>
          {set ? null : <p className="text-t2">{t("presence.more")}</p>}
          <label htmlFor={id} className="grid gap-1 font-medium">
            {t(set ? "proof.label" : "proof.new")}
            <input ref={field} id={id} type="password" required minLength={set ? 1 : 8} autoFocus autoComplete={set ? "current-password" : "new-password"} className={FIELD} />
          </label>
        </DialogForm>
      </OwnEscape>
    </Modal>
  );
}

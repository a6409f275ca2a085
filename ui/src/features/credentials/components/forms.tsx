// The forms of credentials. A secret lives in its masked field only, and leaves it the moment it is sent.
import { useNavigate, useRouter } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { DialogForm, FIELD, Labelled, type Read } from "../../../components/form";
import type { BindingDto } from "../../../engine/bindings/BindingDto";
import type { NewBindingDto } from "../../../engine/bindings/NewBindingDto";
import { freeName } from "../../../lib/text";
import { asGiven, hostOf } from "../model";
import { type Change, useChange, useCredentials } from "../queries";

const KINDS = ["anthropic", "openai", "gemini", "github"] as const;

type Taken = { text: Read; list: (name: string) => string[]; secret: string };

function Form({ submit, secret, onDone, onChanged, change, children }: { submit: string; /** Whether the form takes one. */ secret: boolean; onDone: () => void; /** It was done, and the form goes. */ onChanged?: (change: Change) => void; change: (taken: Taken) => Change; children: ReactNode }) {
  const { t } = useTranslation();
  const { send, pending, error } = useChange();
  const field = useRef<HTMLInputElement>(null);
  const onSubmit = (text: Read) => {
    const list = (name: string) => text(name).split(/[\s,]+/).filter((one) => one !== "");
    const typed = field.current?.value ?? "";
    if (field.current) field.current.value = "";
    const wanted = change({ text, list, secret: typed });
    void send(wanted).then((done) => {
      if (!done) return;
      onDone();
      onChanged?.(wanted);
    });
  };
  return (
    <DialogForm submit={submit} inert={pending} error={error} onSubmit={onSubmit} onCancel={onDone}>
      {children}
      {secret ? (
        <Labelled label={t("credentials.secret")} more={t("credentials.secretMore")}>
          <input ref={field} type="password" required minLength={8} autoComplete="off" spellCheck={false} className={FIELD} />
        </Labelled>
      ) : null}
    </DialogForm>
  );
}

function Plain({ name, label, more, required = false, placeholder, known }: { name: string; label: string; more?: string; required?: boolean; placeholder?: string; /** What it is so far. */ known?: string | undefined }) {
  return (
    <Labelled label={label} {...(more === undefined ? {} : { more })}>
      <input name={name} required={required} dir="ltr" translate="no" placeholder={placeholder} defaultValue={known} autoComplete="off" spellCheck={false} className={FIELD} />
    </Labelled>
  );
}

function PlaceFields({ known }: { known?: BindingDto | undefined }) {
  const { t } = useTranslation();
  return (
    <>
      <Plain name="host" label={t("credentials.host")} more={t("credentials.hostMore")} required known={known && hostOf(known)} />
      <Plain name="methods" label={t("credentials.methods")} more={t("credentials.methodsMore")} known={known?.methods.join(" ")} />
      <Plain name="path" label={t("credentials.path")} more={t("credentials.pathMore")} known={known?.path ?? undefined} />
      <Plain name="slot" label={t("credentials.slot")} more={t("credentials.slotMore")} required known={known?.slotTyped} />
    </>
  );
}

function placeOf({ text, list }: Taken): NewBindingDto {
  const given = text("host");
  const port = /:(\d{1,5})$/.exec(given);
  return { host: port ? given.slice(0, port.index) : given, port: port ? Number(port[1]) : null, methods: list("methods"), path: text("path") || null, slot: text("slot") };
}

export function Add({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [kind, setKind] = useState<string>(KINDS[0]);
  const own = kind === "own";
  const navigate = useNavigate();
  const { history } = useRouter();
  const { data: stored = [] } = useCredentials();
  const proposed = own ? null : freeName(kind, stored.map((one) => one.id));
  const change = (taken: Taken): Change => ({
    call: "credentials.add",
    input: { id: taken.text("id") || (proposed ?? ""), secret: taken.secret, kind: own ? null : kind, name: taken.text("name") || null, variables: taken.list("variables"), binding: own ? placeOf(taken) : null, agents: taken.list("agents") },
  });
  // What was added is what is shown. The address without the form is written down before, so that no way back leads to the form.
  const show = (done: Change) => {
    history.flush();
    if (done.call === "credentials.add") void navigate({ to: "/credentials/$credential", params: { credential: done.input.id } });
  };
  return (
    <Form submit={t("credentials.add")} secret onDone={onDone} onChanged={show} change={change}>
      <Labelled label={t("credentials.kind")}>
        <select value={kind} onChange={(event) => setKind(event.target.value)} className={FIELD}>
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {t(`credentials.kinds.${one}`)}
            </option>
          ))}
          <option value="own">{t("credentials.kinds.own")}</option>
        </select>
      </Labelled>
      <Plain name="id" label={t("credentials.id")} more={proposed === null ? t("credentials.idMore") : t("credentials.idLeftOut", { name: proposed })} required={own} placeholder={proposed ?? ""} />
      {own ? <PlaceFields /> : null}
      {/* Of a known kind everything else is known as well. */}
      <details open={own} className="group/more">
        <summary className="chrome flex min-h-6 cursor-default items-center gap-1 text-t2">
          <ChevronRight size={14} strokeWidth={1.5} aria-hidden className="group-open/more:rotate-90 rtl:group-open/more:-rotate-90" />
          {t("credentials.more")}
        </summary>
        <div className="mt-2 grid gap-3">
          <Plain name="name" label={t("credentials.name")} />
          <Plain name="variables" label={t("credentials.variables")} more={own ? t("credentials.variablesOwn") : t("credentials.variablesKind")} />
          <Plain name="agents" label={t("credentials.agents")} more={t("credentials.agentsMore")} />
        </div>
      </details>
    </Form>
  );
}

export function Replace({ credential, onDone }: { credential: string; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <Form submit={t("credentials.replace")} secret onDone={onDone} change={({ secret }) => ({ call: "credentials.replace", input: { credential, secret } })}>
      <p className="text-t2">{t("credentials.replaceMore")}</p>
    </Form>
  );
}

/** `known`: the place that is changed; else one is added. */
export function Bind({ credential, known, onDone }: { credential: string; known?: BindingDto; onDone: () => void }) {
  const { t } = useTranslation();
  const change = (taken: Taken): Change => ({ call: "credentials.bind", input: { credential, binding: placeOf(taken), agents: taken.list("agents"), ...(known ? { instead: asGiven(known) } : {}) } });
  return (
    <Form submit={t(known ? "credentials.save" : "credentials.bind")} secret={false} onDone={onDone} change={change}>
      <PlaceFields known={known} />
      <Plain name="agents" label={t("credentials.agents")} more={t("credentials.agentsMore")} known={known?.agents.join(" ")} />
      {known ? <p className="text-t2">{t("credentials.changeMore")}</p> : null}
    </Form>
  );
}

export function Unbind({ credential, place, onDone, onUnbound, children }: { credential: string; place: BindingDto; onDone: () => void; onUnbound: () => void; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Form submit={t("credentials.remove")} secret={false} onDone={onDone} onChanged={onUnbound} change={() => ({ call: "credentials.unbind", input: { credential, binding: asGiven(place) } })}>
      {children}
    </Form>
  );
}

export function Remove({ credential, onDone, children }: { credential: string; onDone: () => void; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Form submit={t("credentials.remove")} secret={false} onDone={onDone} change={() => ({ call: "credentials.remove", input: { credential } })}>
      {children}
    </Form>
  );
}

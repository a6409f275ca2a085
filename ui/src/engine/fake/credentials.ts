// Credentials, as a recorded engine knows them. What is typed as a secret is let go at once.
import { credential as fresh, keeping, scanned, test } from "../../testing/agents";
import type { BindingDto } from "../bindings/BindingDto";
import type { CredentialDto } from "../bindings/CredentialDto";
import type { NewBindingDto } from "../bindings/NewBindingDto";
import { EngineError } from "../client";
import { type Handlers, notFound, type World } from "./world";

function find(world: World, id: string): CredentialDto {
  const found = world.credentials.find((one) => one.id === id);
  if (!found) throw notFound(`no credential \`${id}\``);
  return found;
}

const all = (world: World) => world.credentials.map((one) => ({ ...one }));

function place(given: NewBindingDto, agents: string[]): BindingDto {
  const { host, port, methods, path, slot } = given;
  return { agents, host, port: port ?? 443, methods: methods.map((method) => method.toUpperCase()), path, slot: inWords(slot), slotTyped: slot };
}

function inWords(slot: string): string {
  const [how, name] = slot.split(":");
  if (how === "header") return `${name}: ‹secret›`;
  if (how === "query") return `?${name}=‹secret›`;
  if (how === "basic") return `Authorization: Basic ${name}:‹secret›`;
  return how === "bearer" ? "Authorization: Bearer ‹secret›" : `placeholder in the ${slot}`;
}

/** Where in its places this one is, for whomever; -1: nowhere. */
function placeAt(credential: CredentialDto, given: NewBindingDto): number {
  const key = ({ host, port, methods, path, slotTyped }: BindingDto) => JSON.stringify([host, port, methods.toSorted(), path, slotTyped]);
  const wanted = key(place(given, []));
  return credential.bindings.findIndex((one) => key(one) === wanted);
}

function mustBeAt(credential: CredentialDto, given: NewBindingDto): number {
  const at = placeAt(credential, given);
  if (at < 0) throw notFound(`no place \`${given.host}:${given.port ?? 443}, ${given.slot}\``);
  return at;
}

export const credentials: Handlers<"credentials.list" | "credentials.add" | "credentials.replace" | "credentials.bind" | "credentials.unbind" | "credentials.remove" | "credentials.remind" | "credentials.test" | "credentials.scan" | "credentials.import" | "credentials.keeping"> = {
  "credentials.list": all,
  "credentials.add": (world, { id, name, binding, agents, variables }) => {
    if (world.credentials.some((one) => one.id === id)) throw new EngineError({ code: "failed", message: `there is a credential \`${id}\` already`, hint: null });
    const added = fresh(id, name ?? id, { variables });
    world.credentials.push(binding ? { ...added, bindings: [place(binding, agents)] } : added);
    return all(world);
  },
  "credentials.replace": (world, { credential }) => {
    find(world, credential).rotatedAt = new Date().toISOString();
    return all(world);
  },
  "credentials.bind": (world, { credential, binding, agents, instead }) => {
    const found = find(world, credential);
    const at = instead ? mustBeAt(found, instead) : placeAt(found, binding);
    found.bindings = at < 0 ? [...found.bindings, place(binding, agents)] : found.bindings.with(at, place(binding, agents));
    return all(world);
  },
  "credentials.unbind": (world, { credential, binding }) => {
    const found = find(world, credential);
    found.bindings = found.bindings.toSpliced(mustBeAt(found, binding), 1);
    return all(world);
  },
  "credentials.remind": (world, { credential, days }) => {
    const found = find(world, credential);
    delete found.rotateDays;
    if (days !== null) found.rotateDays = days;
    return all(world);
  },
  "credentials.keeping": keeping,
  "credentials.scan": (_world, { path, text }) => {
    if (path !== null && !path.startsWith("/")) throw new EngineError({ code: "invalid", message: `\`${path}\` is not an absolute path`, hint: null });
    return path === null && text === "" ? { lines: [] } : scanned();
  },
  "credentials.import": (world, { from, chosen, replace }) => {
    const taken = chosen.find((one) => world.credentials.some((known) => known.id === one.id));
    if (taken) throw new EngineError({ code: "failed", message: `\`${taken.id}\` was not taken: there is a credential \`${taken.id}\` already`, hint: null });
    for (const one of chosen) {
      const added = fresh(one.id, one.variable, { variables: [one.variable] });
      world.credentials.push(one.binding ? { ...added, bindings: [place(one.binding, [])] } : added);
    }
    return { credentials: all(world), added: chosen.map((one) => one.id), backup: replace && from.path !== null ? "/home/dana/.local/share/reeve/backups/env-1" : null };
  },
  "credentials.test": (world, { credential, send }) => test(find(world, credential), send !== null),
  "credentials.remove": (world, { credential }) => {
    find(world, credential);
    world.credentials = world.credentials.filter((one) => one.id !== credential);
    return all(world);
  },
};

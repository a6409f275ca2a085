// The query as the bar draws and edits it: whole terms, never their meaning. What a query means is the engine's to say.

export type Term = {
  /** As written. */
  text: string;
  negated: boolean;
  /** Lower-case key of a field, where it is one. */
  key: string | null;
  /** What stands after the key, or the text itself. */
  value: string;
};

/** Splits at spaces outside quotes and brackets; joining the texts with one space gives the query back. */
export function terms(query: string): Term[] {
  const found: Term[] = [];
  let start = -1;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at <= query.length; at += 1) {
    const char = query[at];
    const ends = char === undefined || (char === " " && depth === 0 && !quoted);
    if (ends) {
      if (start >= 0) found.push(term(query.slice(start, at)));
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (char === "\\" && quoted) at += 1;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === "(") depth += 1;
    else if (!quoted && char === ")") depth = Math.max(0, depth - 1);
  }
  return found;
}

export function print(all: readonly Term[]): string {
  return all.map((one) => one.text).join(" ");
}

/** A value as the grammar takes it: quoted where it holds something the grammar would read. */
export function quote(value: string): string {
  const plain = /^[\w.@/+-]+$/.test(value) && !value.startsWith("-") && !value.includes("..") && !/^(and|or|not)$/i.test(value);
  return plain ? value : `"${value.replace(/["\\*]/g, "\\$&")}"`;
}

/** Click: only this value of the key. */
export function only(query: string, key: string, value: string): string {
  const rest = terms(query).filter((one) => one.key !== key);
  const wanted = `${key}:${quote(value)}`;
  return print([...rest, term(wanted)]);
}

/** Alt-click: not this value. */
export function exclude(query: string, key: string, value: string): string {
  const unwanted = `-${key}:${quote(value)}`;
  const rest = terms(query).filter((one) => one.text !== unwanted && one.text !== unwanted.slice(1));
  return print([...rest, term(unwanted)]);
}

/** Shift-click: this value too. */
export function add(query: string, key: string, value: string): string {
  const all = terms(query);
  const held = all.find((one) => one.key === key && !one.negated);
  if (!held) return only(query, key, value);
  const values = listed(held.value);
  const wanted = quote(value);
  if (values.includes(wanted)) return query;
  const joined = term(`${key}:(${[...values, wanted].join(",")})`);
  return print(all.map((one) => (one === held ? joined : one)));
}

/** Whether the query asks for this value, so that its facet is drawn as chosen. */
export function chosen(query: string, key: string, value: string): boolean {
  return terms(query).some((one) => one.key === key && !one.negated && listed(one.value).includes(quote(value)));
}

/** Replaces the terms of a key, or removes them. */
export function withKey(query: string, key: string, value: string | null): string {
  const rest = terms(query).filter((one) => one.key !== key);
  return print(value === null ? rest : [...rest, term(`${key}:${value}`)]);
}

/** The range of time that a query names; each end as it is written. */
export type Range = { since: string | null; before: string | null };

export function rangeOf(query: string): Range {
  const value = (key: string) => terms(query).find((one) => one.key === key && !one.negated)?.value ?? null;
  return { since: value("since"), before: value("before") };
}

/** The same query over another range of time. */
export function withRange(query: string, { since, before }: Range): string {
  return withKey(withKey(query, "since", since), "before", before);
}

function term(text: string): Term {
  const negated = text.length > 1 && text.startsWith("-");
  const body = negated ? text.slice(1) : text;
  const field = /^([a-z][a-z.]*):(.*)$/is.exec(body);
  return { text, negated, key: field?.[1]?.toLowerCase() ?? null, value: field?.[2] ?? body };
}

function listed(value: string): string[] {
  if (!value.startsWith("(") || !value.endsWith(")")) return [value];
  // A comma inside quotes belongs to its value.
  return (value.slice(1, -1).match(/(?:"(?:\\.|[^"\\])*"|[^,])+/g) ?? []).map((one) => one.trim());
}

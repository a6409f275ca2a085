// Where something does not fit a tool's schema: the field, what was expected, and what came.
import { useTranslation } from "react-i18next";
import type { SchemaProblem } from "../lib/action";
import { Untrusted } from "./untrusted";

export function SchemaProblems({ problems }: { problems: readonly SchemaProblem[] }) {
  const { t } = useTranslation();
  return problems.map((problem, at) => (
    <span key={at} className="block text-ask">
      <code className="mono text-caption">
        <Untrusted text={problem.path} max={40} />
      </code>{" "}
      {t("schema.expected")} <Untrusted text={problem.expected} max={40} />
      {t("schema.found")} <Untrusted text={problem.found} max={40} />
    </span>
  ));
}

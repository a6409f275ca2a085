// A rule made of a recorded action: what it does, with what, for whom and where; its text is drafted like any other.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { LayerBadge } from "../../../components/badge";
import { EngineFailure, Skeleton } from "../../../components/empty";
import { Radios } from "../../../components/form";
import { Inset } from "../../../components/inset";
import { Untrusted, UntrustedBlock } from "../../../components/untrusted";
import type { CheckedDto } from "../../../engine/bindings/CheckedDto";
import type { EffectDto } from "../../../engine/bindings/EffectDto";
import type { PolicyStateDto } from "../../../engine/bindings/PolicyStateDto";
import type { ProposalDto } from "../../../engine/bindings/ProposalDto";
import type { WidthDto } from "../../../engine/bindings/WidthDto";
import { widthWord } from "../../../lib/action";
import { targetOfNew } from "../model";
import { useProposal } from "../queries";
import { Drafting } from "./drafting";
import { ModeChoice } from "./rule-view";

const EFFECTS: readonly EffectDto[] = ["ask", "permit", "forbid"];
type Choices = { effect: EffectDto; width: WidthDto; anyone: boolean; here: boolean };

export function FromRecord({ operation, state, onSaved }: { operation: string; state: PolicyStateDto; onSaved: (checked: CheckedDto) => void }) {
  const { t } = useTranslation();
  const [choices, setChoices] = useState<Choices>({ effect: "ask", width: "useful", anyone: false, here: false });
  const { data, error, refetch } = useProposal({ operation, ...choices });
  if (error) return <EngineFailure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton rows={4} />;
  const title = (
    <>
      <h2 className="text-body font-semibold">{t("policies.fromTitle")}</h2>
      <LayerBadge layer="mine" />
    </>
  );
  return (
    <Drafting
      // Other choices give another text; what was typed belongs to the one before.
      key={data.text}
      target={targetOfNew(data.text.trimEnd())}
      state={state}
      title={title}
      mode="enforce"
      note={null}
      onSaved={onSaved}
      aside={({ mode, onMode }) => (
        <>
          <Made proposal={data} choices={choices} onChoices={setChoices} />
          <div className="mt-2 border-t border-line pt-2">
            <ModeChoice mode={mode} onMode={onMode} />
          </div>
        </>
      )}
    />
  );
}

function Made({ proposal, choices, onChoices }: { proposal: ProposalDto; choices: Choices; onChoices: (choices: Choices) => void }) {
  const { t } = useTranslation();
  const { kind, method, cwd, widths } = proposal;
  const word = (width: WidthDto) => t(`rule.width.${widthWord(kind, width)}`, { method });
  return (
    <>
      <Inset small caption={kind}>
        <UntrustedBlock text={proposal.summary} />
      </Inset>
      <Radios label={t("policies.made.effect")} value={choices.effect} options={EFFECTS.map((value) => ({ value, label: t(`policies.made.${value}`) }))} onChoose={(effect) => onChoices({ ...choices, effect })} />
      {widths.length > 1 ? <Radios label={t("rule.what")} value={choices.width} options={widths.map((value) => ({ value, label: word(value) }))} onChoose={(width) => onChoices({ ...choices, width })} /> : null}
      <Radios
        label={t("rule.who")}
        value={choices.anyone ? "anyone" : "agent"}
        options={[
          { value: "agent", label: <Untrusted text={proposal.agentName} max={40} /> },
          { value: "anyone", label: t("policies.made.anyone") },
        ]}
        onChoose={(who) => onChoices({ ...choices, anyone: who === "anyone" })}
      />
      {cwd === null ? null : (
        <Radios
          label={t("rule.where")}
          value={choices.here ? "here" : "anywhere"}
          options={[
            { value: "anywhere", label: t("rule.anywhere") },
            { value: "here", label: t("rule.here"), more: <Untrusted text={cwd} max={60} /> },
          ]}
          onChoose={(where) => onChoices({ ...choices, here: where === "here" })}
        />
      )}
    </>
  );
}

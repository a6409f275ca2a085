//! One effect for one call, however often it is made: looks for what is known of it before a person is asked, takes its slot
//! after it was admitted, and completes that before the answer goes out.

use std::time::Duration;

use reeve_domain::id::OperationId;
use reeve_domain::obligation::{Idempotence, Obligation, OnDuplicate, OnUnknown, Probe};
use reeve_domain::operation::{Digest, Operation, Purpose};
use reeve_domain::slot::{Slot, SlotState};
use reeve_domain::verdict::{Denial, DenialKind, Reason};
use reeve_engine::denials::{own, own_because};
use reeve_engine::idempotency::{self, Found, Held};
use serde_json::{Map, Value, json};

use crate::acting::{Acting, STOPPED};
use crate::aside;
use crate::call::{Call, error_of, limit};
use crate::gateway::Gateway;
use crate::upstream::{Failure, Upstream};

/// What a call may take besides running: waiting for its place before, and the look at its result after.
const AROUND: Duration = Duration::from_secs(300);

/// What is known of a call that is to have its effect once.
pub(crate) struct Plan {
    rules: Idempotence,
    key: Digest,
    /// The operation whose result or unknown end does not stand in the way any more, once the call is admitted.
    over: Option<OperationId>,
    /// The operation whose answer is kept: this call is answered with it, and is not made.
    pub repeats: Option<OperationId>,
    /// Why a person is to see it.
    pub holds: Vec<Reason>,
    /// What the approval card says of it.
    pub shown: Value,
}

/// Whether an admitted call is to be made.
pub(crate) enum Turn {
    /// `None`: nobody can tell whether it is a repeat, and its rules let it go on all the same.
    Make(Option<Box<Held>>),
    /// What it came to before, and in which operation.
    Repeat {
        of: OperationId,
        result: Value,
    },
    Refuse(Denial),
    Cancelled,
}

impl Gateway {
    /// What is known of the call. `None`: its rules do not ask for that.
    pub(crate) async fn look_for_repeat(
        &self,
        call: &Call,
        operation: &Operation,
        obligations: &[Obligation],
        upstream: &dyn Upstream,
    ) -> Result<Option<Plan>, Denial> {
        let rules = self.told_by(call, obligations);
        let (Some(rules), Some(subject)) = (rules, operation.mcp()) else { return Ok(None) };
        let arguments = Value::Object(call.arguments.clone());
        let key = match idempotency::key(&operation.principal, subject, &arguments, &rules) {
            Ok(key) => key,
            Err(missing) if rules.strict => return Err(unkeyed(operation, &missing)),
            Err(_) => return Ok(None),
        };
        let slot = match self.engine().idempotency().look(&key).await {
            Ok(slot) => slot,
            Err(error) if rules.strict => return Err(cannot_tell(operation, &error)),
            Err(_) => return Ok(None),
        };
        let shown = shown(&key, &rules, slot.as_ref());
        let mut plan = Plan { rules, key, over: None, repeats: None, holds: Vec::new(), shown };
        if let Some(slot) = slot {
            self.weigh(call, operation, &mut plan, &slot, upstream).await?;
        }
        Ok(Some(plan))
    }

    /// How its repeats are told. A project whose rules changed may bind by several versions at once: what was made under the
    /// oldest is found by that one's key only.
    fn told_by(&self, call: &Call, obligations: &[Obligation]) -> Option<Idempotence> {
        let mut all = obligations.iter().filter_map(|obligation| match obligation {
            Obligation::Idempotent { rules } => Some(rules),
            _ => None,
        });
        let first = all.next()?;
        if all.next().is_none() {
            return Some(first.clone());
        }
        let versions = call.session.tool_rules(self.engine().policies(), &call.server.name, &call.tool);
        let oldest = versions.into_iter().rev().find_map(|rules| rules.idempotence);
        Some(oldest.unwrap_or_else(|| first.clone()))
    }

    /// What an earlier call means for this one.
    async fn weigh(
        &self,
        call: &Call,
        operation: &Operation,
        plan: &mut Plan,
        slot: &Slot,
        upstream: &dyn Upstream,
    ) -> Result<(), Denial> {
        let asks = |plan: &mut Plan, rule: &str, text: &str| {
            plan.holds.push(own_because(rule, text));
            plan.over = Some(slot.operation.clone());
        };
        match (slot.state, plan.rules.on_duplicate, plan.rules.on_unknown) {
            (SlotState::Done | SlotState::FailedFinal, OnDuplicate::Reject, _) => Err(repeated(operation, slot)),
            (SlotState::Done | SlotState::FailedFinal, OnDuplicate::Ask, _) => {
                asks(plan, "reeve-repeat", "the very same call was made before");
                Ok(())
            }
            (SlotState::Done | SlotState::FailedFinal, OnDuplicate::ReturnCached, _) => {
                plan.repeats = Some(slot.operation.clone());
                Ok(())
            }
            (SlotState::Unknown, _, OnUnknown::Reject) => Err(unknown(operation, slot)),
            (SlotState::Unknown, _, OnUnknown::Retry) => {
                plan.over = Some(slot.operation.clone());
                Ok(())
            }
            (SlotState::Unknown, _, OnUnknown::Probe) => {
                let found = match plan.rules.probe.clone() {
                    Some(probe) => self.probe(call, operation, &probe, upstream).await,
                    None => Err("no probe is declared".to_owned()),
                };
                match found {
                    Ok(true) => {
                        self.found_done(operation, plan, slot).await?;
                        let answers = plan.rules.on_duplicate == OnDuplicate::ReturnCached;
                        plan.repeats = Some(slot.operation.clone()).filter(|_| answers);
                        Ok(())
                    }
                    Ok(false) => {
                        plan.over = Some(slot.operation.clone());
                        Ok(())
                    }
                    Err(why) => {
                        let text = format!(
                            "whether the same call took effect before is not known, and the probe did not tell: {why}"
                        );
                        asks(plan, "reeve-repeat-unknown", &text);
                        Ok(())
                    }
                }
            }
            (SlotState::Unknown, _, OnUnknown::Ask) => {
                asks(plan, "reeve-repeat-unknown", "whether the same call took effect before is not known");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Asks the server, by a call of its own, whether the earlier one took effect.
    async fn probe(
        &self,
        call: &Call,
        operation: &Operation,
        probe: &Probe,
        upstream: &dyn Upstream,
    ) -> Result<bool, String> {
        let mut arguments = Map::new();
        for (name, from) in &probe.arguments {
            let value = idempotency::at(&Value::Object(call.arguments.clone()), from).cloned();
            arguments.insert(name.clone(), value.ok_or_else(|| format!("the call has no argument `{from}`"))?);
        }
        let (_, result) = self.beside(call, operation, Purpose::Probe, (&probe.tool, arguments), upstream).await?;
        let found = aside::read(&result, &probe.done);
        match found {
            Some(Value::Bool(done)) => Ok(done),
            Some(Value::Number(count)) if count.as_u64().is_some() => Ok(count.as_u64() > Some(0)),
            _ => Err(format!("`{}` in its result is neither true, false nor a count", probe.done)),
        }
    }

    /// The probe found that the call took effect: from now on that is known.
    async fn found_done(&self, operation: &Operation, plan: &Plan, slot: &Slot) -> Result<(), Denial> {
        let text = "This call took effect before; its own answer was lost. Reeve found out by a call that only reads.";
        let result = json!({ "content": [{ "type": "text", "text": text }], "isError": false });
        let told = self.engine().idempotency().found_done(&plan.key, &slot.operation, &result).await;
        told.map_err(|error| cannot_tell(operation, &error))
    }

    /// Takes the slot of an admitted call, or waits for whoever makes the same one.
    pub(crate) async fn take_turn(
        &self,
        call: &Call,
        operation: &Operation,
        plan: Option<&Plan>,
        acting: &Acting,
    ) -> Turn {
        let Some(plan) = plan else { return Turn::Make(None) };
        let slots = self.engine().idempotency();
        // As long as the call may still be running nobody takes it for lost; where people are waited for it is renewed.
        let runs = limit(acting.admission().map_or(&[], |admission| admission.obligations())) + AROUND;
        let lease_seconds = plan.rules.lease_seconds.max(runs.as_secs());
        let rules = Idempotence { lease_seconds, ..plan.rules.clone() };
        let claim = slots.claim(&plan.key, &operation.id, &rules, plan.over.as_ref(), &call.cancelled);
        let revoked = acting.admission().map(|admission| admission.revoked().clone()).unwrap_or_default();
        let found = tokio::select! {
            biased;
            () = revoked.cancelled() => return Turn::Refuse(stopped(operation)),
            found = claim => found,
        };
        match found {
            // Let through as what changes nothing; what it would change was not looked at.
            Ok(Found::Mine(_)) | Err(_) if plan.repeats.is_some() => Turn::Refuse(forgotten(operation)),
            Ok(Found::Mine(held)) => Turn::Make(Some(held)),
            Ok(Found::Made(slot)) if plan.rules.on_duplicate == OnDuplicate::ReturnCached => {
                Turn::Repeat { result: cached(&slot), of: slot.operation }
            }
            Ok(Found::Made(slot)) => Turn::Refuse(repeated(operation, &slot)),
            Ok(Found::Unknown(slot)) => Turn::Refuse(unknown(operation, &slot)),
            Ok(Found::Cancelled) => Turn::Cancelled,
            Err(error) if plan.rules.strict => Turn::Refuse(cannot_tell(operation, &error)),
            Err(error) => {
                tracing::error!(operation = %operation.id, %error, "whether a call is a repeat cannot be told; it goes on");
                Turn::Make(None)
            }
        }
    }
}

/// Completes the slot with what came of the call, before anybody hears of it. `sent`: its first byte went out.
pub(crate) async fn complete(held: Option<Box<Held>>, sent: bool, answered: Result<&Value, Option<&Failure>>) {
    let Some(held) = held else { return };
    let told = match answered {
        Ok(result) => match error_of(result) {
            Some(words) if held.is_final(&words) => held.failed(&kept(result)).await,
            Some(_) => held.not_made().await,
            None => held.done(&kept(result)).await,
        },
        // No such tool, or arguments that it does not take: nothing happened, and under the same key they may be right the next
        // time.
        Err(Some(Failure::Rpc(error)))
            if matches!(error.get("code").and_then(Value::as_i64), Some(-32601 | -32602)) =>
        {
            held.not_made().await
        }
        Err(_) if sent => held.lost().await,
        Err(_) => held.not_made().await,
    };
    if let Err(error) = told {
        tracing::error!(%error, "what a call came to is not kept; a repeat finds its end unknown");
    }
}

/// A result as it is kept: without what looks like a secret.
pub(crate) fn kept(result: &Value) -> Value {
    match result {
        Value::String(text) => Value::String(kept_text(text)),
        Value::Array(items) => items.iter().map(kept).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), kept(value))).collect(),
        plain => plain.clone(),
    }
}

fn kept_text(text: &str) -> String {
    reeve_protocol::redact::words(text)
}

/// What is given to a repeat.
fn cached(slot: &Slot) -> Value {
    let known = slot.result.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut result = known.filter(Value::is_object).unwrap_or_else(|| {
        let text = "This call was made before; its result was too large to be kept.";
        json!({ "content": [{ "type": "text", "text": text }], "isError": false })
    });
    if let Some(fields) = result.as_object_mut() {
        let meta = fields.entry("_meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("reeve/repeats".to_owned(), json!({ "operation": slot.operation, "at": slot.at }));
        }
    }
    result
}

/// For the approval card and the record.
fn shown(key: &Digest, rules: &Idempotence, slot: Option<&Slot>) -> Value {
    let found = slot.map(|slot| json!({ "state": slot.state, "operation": slot.operation, "at": slot.at }));
    let short: String = key.as_str().chars().take(12).collect();
    json!({
        "key": short,
        "fields": rules.key_fields,
        "scope": rules.scope,
        "onRepeat": rules.on_duplicate,
        "onUnknown": rules.on_unknown,
        "keptSeconds": rules.cache_ttl_seconds,
        "found": found,
    })
}

fn unkeyed(operation: &Operation, missing: &str) -> Denial {
    let message = format!(
        "{} was not sent: the argument `{missing}`, which tells a repeat from a new call, is missing",
        operation.summary
    );
    worded(operation, DenialKind::Malformed, message, "send it with that argument", "idempotency-key")
}

fn cannot_tell(operation: &Operation, error: &dyn std::fmt::Display) -> Denial {
    tracing::error!(operation = %operation.id, %error, "whether a call is a repeat cannot be told");
    let message = format!("{} was not sent, because Reeve cannot tell whether it is a repeat", operation.summary);
    worded(operation, DenialKind::Fault, message, "ask the human to run `reeve doctor`", "idempotency-store")
}

fn repeated(operation: &Operation, slot: &Slot) -> Denial {
    let message = format!("{} was not sent: the very same call was made at {}", operation.summary, at(slot));
    worded(
        operation,
        DenialKind::Policy,
        message,
        "if it is to happen again, change what tells both apart",
        "reeve-repeat",
    )
}

fn forgotten(operation: &Operation) -> Denial {
    let message = format!("{} was not sent: its kept answer is gone by now", operation.summary);
    worded(operation, DenialKind::Expired, message, "make the call again", "reeve-repeat")
}

fn unknown(operation: &Operation, slot: &Slot) -> Denial {
    let message = format!(
        "{} was not sent: the same call was made at {}, and whether it took effect is not known",
        operation.summary,
        at(slot)
    );
    worded(
        operation,
        DenialKind::Unavailable,
        message,
        "look whether it took effect, and tell the human",
        "reeve-repeat-unknown",
    )
}

fn stopped(operation: &Operation) -> Denial {
    let message = format!("{} was not sent: {STOPPED}", operation.summary);
    worded(operation, DenialKind::Stopped, message, "start again under the rules as they are now", "revoked")
}

fn at(slot: &Slot) -> String {
    slot.at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn worded(operation: &Operation, kind: DenialKind, message: String, advice: &str, rule: &str) -> Denial {
    Denial { kind, message, advice: advice.to_owned(), reasons: vec![own(rule)], record: Some(operation.id.clone()) }
}

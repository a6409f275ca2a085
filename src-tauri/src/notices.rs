//! What a person is told while no window of Reeve is in front: that something waits, was denied, costs, or that protection is
//! lost. Who and how grave, and nothing from the action itself: whoever looks over a shoulder learns nothing, and an agent
//! cannot write here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reeve_api::contract::approvals::ApprovalDto;
use reeve_api::contract::operations::RowStateDto;
use reeve_api::contract::policies::RiskDto;
use reeve_api::contract::settings::NotificationsDto;
use reeve_api::contract::status::{ProtectionDto, StatusDto};
use reeve_api::contract::stream::StreamBatch;

use crate::words::Words;

/// Parts of today's limit at which it is said, in percent.
const SHARES: [i64; 3] = [80, 95, 100];
/// Most characters of a name.
const LONGEST_NAME: usize = 40;

/// What a notice is about; one of each is shown at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    Waiting,
    DeniedHigh,
    Budget,
    Review,
    Loosened,
    Refused,
    ProtectionLost,
}

impl About {
    /// Whether the person wants to hear of it. That protection is lost cannot be turned off.
    pub fn is_wanted(self, chosen: &NotificationsDto) -> bool {
        match self {
            // What is new or changed waits for the person as a question does.
            Self::Waiting | Self::Review | Self::Loosened | Self::Refused => chosen.waiting,
            Self::DeniedHigh => chosen.denied_high,
            Self::Budget => chosen.budget,
            Self::ProtectionLost => true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub about: About,
    pub title: String,
    pub body: String,
    /// Where *Review* leads.
    pub link: String,
}

#[derive(Debug)]
struct Held {
    agent: String,
    /// None where it has no name.
    folder: Option<String>,
    risk: RiskDto,
    /// When a quarter of the time is left, for what is grave and was not reminded of.
    remind_at: Option<DateTime<Utc>>,
}

/// What was told already, and what there is to tell.
#[derive(Debug, Default)]
pub struct Notices {
    held: BTreeMap<String, Held>,
    /// The share of today's limit that was told last, in percent.
    share: i64,
    /// So many servers and tools were held for a review when it was last told.
    to_review: u32,
    /// Rules or limits were loosened outside when it was last told.
    policy_waits: bool,
    /// So many credentials were refused when it was last told.
    refused: u32,
    /// Protection was seen to work since it was last said to be lost.
    well: bool,
}

impl Notices {
    /// What changed. `in_front`: a window shows it, nothing needs to be said.
    pub fn heard(&mut self, words: &Words, batch: &StreamBatch, in_front: bool) -> Vec<Notice> {
        let mut fresh = false;
        for approval in &batch.approvals {
            if approval.resolved.is_some() {
                self.held.remove(&approval.id);
            } else if !self.held.contains_key(&approval.id) {
                self.held.insert(approval.id.clone(), Held::of(approval));
                fresh = true;
            }
        }
        let mut notices = Vec::new();
        if fresh && !in_front {
            notices.extend(self.waiting(words));
        }
        let mut denied = batch.operations.iter().filter(|row| row.state == RowStateDto::Denied && is_grave(row.risk));
        if let Some(row) = denied.next_back().filter(|_| !in_front) {
            notices.push(Notice {
                about: About::DeniedHigh,
                title: words.text("denied", &[("agent", plain(&row.agent_name).into())]),
                body: row.risk.map_or_else(String::new, |risk| word(words, risk)),
                link: format!("reeve://record/{}", row.id),
            });
        }
        notices
    }

    /// What is grave and nearly over is told once more.
    pub fn due(&mut self, words: &Words, now: DateTime<Utc>, in_front: bool) -> Option<Notice> {
        let mut due = false;
        for held in self.held.values_mut() {
            if held.remind_at.is_some_and(|at| at <= now) {
                held.remind_at = None;
                due = true;
            }
        }
        if due && !in_front { self.waiting(words) } else { None }
    }

    /// The new state; none while the engine does not answer. That protection is lost is told also where a window shows it.
    pub fn status(&mut self, words: &Words, status: Option<&StatusDto>, in_front: bool) -> Vec<Notice> {
        let mut notices = Vec::new();
        let problem = match status.map(|status| &status.protection) {
            None => Some(words.text("lost-unreachable", &[])),
            Some(ProtectionDto::Degraded { .. }) => Some(words.text("lost-degraded", &[])),
            Some(_) => None,
        };
        let was_well = std::mem::replace(&mut self.well, problem.is_none());
        if let Some(body) = problem.filter(|_| was_well) {
            let title = words.text("lost", &[]);
            notices.push(Notice { about: About::ProtectionLost, title, body, link: "reeve://inbox".to_owned() });
        }
        notices.extend(status.and_then(|status| self.share_of(words, status)).filter(|_| !in_front));
        notices.extend(status.and_then(|status| self.review_of(words, status)).filter(|_| !in_front));
        notices.extend(status.and_then(|status| self.refused_of(words, status)).filter(|_| !in_front));
        notices.extend(status.and_then(|status| self.loosened_of(words, status)).filter(|_| !in_front));
        notices
    }

    fn share_of(&mut self, words: &Words, status: &StatusDto) -> Option<Notice> {
        let limit = status.limit_today.filter(|limit| *limit > 0)?;
        let percent = status.cost_today.saturating_mul(100) / limit;
        let share = SHARES.into_iter().rev().find(|share| percent >= *share).unwrap_or(0);
        let before = std::mem::replace(&mut self.share, share);
        (share > before).then(|| Notice {
            about: About::Budget,
            title: words.text("budget", &[("share", share.into())]),
            body: {
                let (spent, limit) = (reeve_api::money(status.cost_today), reeve_api::money(limit));
                words.text("budget-body", &[("spent", spent.into()), ("limit", limit.into())])
            },
            link: "reeve://timeline".to_owned(),
        })
    }

    /// Said when more is held than before. Names are the servers' own words, so none is among them.
    fn review_of(&mut self, words: &Words, status: &StatusDto) -> Option<Notice> {
        let before = std::mem::replace(&mut self.to_review, status.to_review);
        (status.to_review > before).then(|| Notice {
            about: About::Review,
            title: words.text("tools", &[]),
            body: words.text("tools-body", &[("count", status.to_review.into())]),
            link: "reeve://servers".to_owned(),
        })
    }

    /// Said once when a host begins to refuse a credential: requests with it are answered by Reeve until it takes it again.
    fn refused_of(&mut self, words: &Words, status: &StatusDto) -> Option<Notice> {
        let before = std::mem::replace(&mut self.refused, status.refused_credentials);
        (status.refused_credentials > before).then(|| Notice {
            about: About::Refused,
            title: words.text("credential", &[]),
            body: words.text("credential-body", &[]),
            link: "reeve://credentials".to_owned(),
        })
    }

    /// Said once while files that were loosened outside wait.
    fn loosened_of(&mut self, words: &Words, status: &StatusDto) -> Option<Notice> {
        let before = std::mem::replace(&mut self.policy_waits, status.policy_waits);
        (status.policy_waits && !before).then(|| Notice {
            about: About::Loosened,
            title: words.text("loosened", &[]),
            body: words.text("loosened-body", &[]),
            link: "reeve://policies".to_owned(),
        })
    }

    /// One for all that waits.
    fn waiting(&self, words: &Words) -> Option<Notice> {
        let gravest = self.held.values().max_by_key(|held| rank(held.risk))?;
        let risk = word(words, gravest.risk);
        let (title, body) = if self.held.len() == 1 {
            let body = match &gravest.folder {
                Some(folder) => words.text("held-one-body", &[("risk", risk.into()), ("folder", folder.into())]),
                None => words.text("held-one-nowhere", &[("risk", risk.into())]),
            };
            (words.text("held-one", &[("agent", gravest.agent.as_str().into())]), body)
        } else {
            let count = self.held.len();
            (
                words.text("held-many", &[("count", count.into())]),
                words.text("held-many-body", &[("risk", risk.into())]),
            )
        };
        Some(Notice { about: About::Waiting, title, body, link: "reeve://inbox".to_owned() })
    }
}

impl Held {
    fn of(approval: &ApprovalDto) -> Self {
        let quarter = (approval.expires_at - approval.asked_at) / 4;
        let folder = approval.cwd.rsplit(['/', '\\']).find(|part| !part.is_empty());
        Self {
            agent: plain(&approval.agent_name),
            folder: folder.map(plain),
            risk: approval.risk,
            remind_at: is_grave(Some(approval.risk)).then(|| approval.expires_at - quarter),
        }
    }
}

fn is_grave(risk: Option<RiskDto>) -> bool {
    matches!(risk, Some(RiskDto::High | RiskDto::Critical))
}

fn rank(risk: RiskDto) -> u8 {
    match risk {
        RiskDto::Low => 0,
        RiskDto::Medium => 1,
        RiskDto::High => 2,
        RiskDto::Critical => 3,
    }
}

fn word(words: &Words, risk: RiskDto) -> String {
    let risk = match risk {
        RiskDto::Low => "low",
        RiskDto::Medium => "medium",
        RiskDto::High => "high",
        RiskDto::Critical => "critical",
    };
    words.text("risk", &[("risk", risk.into())])
}

/// A name without what a desktop could read as markup or as another line.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.'));
    kept.take(LONGEST_NAME).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An open question with words of the action in every field that an agent can fill.
    fn question(id: &str, risk: &str) -> ApprovalDto {
        serde_json::from_value(json!({
            "id": id, "operation": "op_1", "agent": "claude-code", "agentName": "Claude <b>Code</b>\n", "session": "ses_1",
            "user": "dana", "cwd": "/home/dana/api", "kind": "http", "summary": "SPILLED summary", "fingerprint": "SPILLED",
            "outputLimit": null, "reasons": [], "risk": risk, "riskReasons": ["SPILLED reason"], "view": { "url": "SPILLED" },
            "estimate": null, "unaffordable": null, "askedAt": "2026-11-20T13:00:00Z", "expiresAt": "2026-11-20T13:02:00Z",
            "joined": 1, "resolved": null, "usedAt": null, "shape": "SPILLED", "left": null, "arming": null, "facts": null
        }))
        .unwrap()
    }

    fn batch(approvals: Vec<ApprovalDto>) -> StreamBatch {
        StreamBatch { approvals, ..StreamBatch::default() }
    }

    #[test]
    fn a_question_is_told_once_with_who_and_how_grave_and_nothing_of_the_action() {
        let mut notices = Notices::default();
        let told = notices.heard(&Words::default(), &batch(vec![question("apr_1", "high")]), false);
        let [notice] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((notice.title.as_str(), notice.body.as_str()), ("Claude bCodeb is waiting", "High · in api"));
        assert!(!format!("{notice:?}").contains("SPILLED"));
        assert_eq!(notices.heard(&Words::default(), &batch(vec![question("apr_1", "high")]), false), []);
    }

    #[test]
    fn five_hundred_of_the_same_are_one_notice() {
        let mut notices = Notices::default();
        let told: usize = (1..=500)
            .map(|joined| {
                notices
                    .heard(&Words::default(), &batch(vec![ApprovalDto { joined, ..question("apr_1", "low") }]), false)
                    .len()
            })
            .sum();
        assert_eq!(told, 1);
    }

    #[test]
    fn several_are_one_notice_that_counts() {
        let mut notices = Notices::default();
        let told = notices.heard(
            &Words::default(),
            &batch(vec![question("apr_1", "low"), question("apr_2", "medium")]),
            false,
        );
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].title.as_str(), told[0].body.as_str()), ("2 actions waiting", "Highest: Medium"));
    }

    #[test]
    fn a_window_in_front_needs_no_notice() {
        let mut notices = Notices::default();
        assert_eq!(notices.heard(&Words::default(), &batch(vec![question("apr_1", "high")]), true), []);
    }

    #[test]
    fn what_is_grave_is_told_again_when_a_quarter_of_its_time_is_left_and_never_a_third_time() {
        let mut notices = Notices::default();
        notices.heard(&Words::default(), &batch(vec![question("apr_1", "critical"), question("apr_2", "low")]), false);
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(notices.due(&Words::default(), at("2026-11-20T13:01:29Z"), false), None);
        assert_eq!(
            notices.due(&Words::default(), at("2026-11-20T13:01:31Z"), false).map(|notice| notice.about),
            Some(About::Waiting)
        );
        assert_eq!(notices.due(&Words::default(), at("2026-11-20T13:01:59Z"), false), None);
    }

    fn status(protection: serde_json::Value, cost: i64) -> StatusDto {
        serde_json::from_value(json!({
            "protection": protection, "mode": "enforce", "preset": "balanced", "engineVersion": "1", "proxyAddress": null,
            "agentsRunning": 0, "sessionsRunning": 0, "held": 0, "costToday": cost, "limitToday": 20_000_000_000_i64,
            "chain": { "head": 0, "ok": true, "brokenAt": null, "problem": null, "keychain": "none" },
            "mark": "amber heron", "markStripe": 0, "demo": false
        }))
        .unwrap()
    }

    #[test]
    fn lost_protection_is_told_once_and_again_after_it_came_back() {
        let mut notices = Notices::default();
        let about = |notices: Vec<Notice>| notices.into_iter().map(|notice| notice.about).collect::<Vec<_>>();
        let protected = status(json!({ "state": "protected" }), 0);
        assert_eq!(about(notices.status(&Words::default(), None, true)), [], "it is only starting");
        assert_eq!(about(notices.status(&Words::default(), Some(&protected), true)), []);
        assert_eq!(about(notices.status(&Words::default(), None, true)), [About::ProtectionLost]);
        assert_eq!(about(notices.status(&Words::default(), None, true)), []);
        assert_eq!(about(notices.status(&Words::default(), Some(&protected), true)), []);
        let degraded = status(json!({ "state": "degraded", "cause": "SPILLED" }), 0);
        let told = notices.status(&Words::default(), Some(&degraded), true);
        assert!(!format!("{told:?}").contains("SPILLED"));
        assert_eq!(about(told), [About::ProtectionLost]);
    }

    #[test]
    fn each_share_of_the_limit_is_told_once_a_day() {
        let mut notices = Notices::default();
        let mut said =
            |cost| notices.status(&Words::default(), Some(&status(json!({ "state": "protected" }), cost)), false).len();
        assert_eq!(
            [15, 16, 17, 19, 20, 21, 0, 16].map(|dollars| said(dollars * 1_000_000_000)),
            [0, 1, 0, 1, 1, 0, 0, 1]
        );
    }

    #[test]
    fn tools_to_review_are_told_when_there_are_more_and_lead_to_their_place() {
        let mut notices = Notices::default();
        let mut said = |count: u32, in_front: bool| {
            let status = StatusDto { to_review: count, ..status(json!({ "state": "protected" }), 0) };
            notices.status(&Words::default(), Some(&status), in_front)
        };
        let told = said(2, false);
        assert_eq!(told.iter().map(|notice| notice.about).collect::<Vec<_>>(), [About::Review]);
        assert_eq!(told[0].link, "reeve://servers");
        assert!(told[0].body.starts_with("2 new or changed"), "{told:?}");
        assert_eq!(
            [said(2, false).len(), said(1, false).len(), said(2, false).len(), said(3, true).len()],
            [0, 0, 1, 0]
        );
    }

    #[test]
    fn a_refused_credential_is_told_once_and_leads_to_its_place() {
        let mut notices = Notices::default();
        let mut said = |count: u32, in_front: bool| {
            let status = StatusDto { refused_credentials: count, ..status(json!({ "state": "protected" }), 0) };
            notices.status(&Words::default(), Some(&status), in_front)
        };
        let told = said(1, false);
        assert_eq!((told[0].about, told[0].link.as_str()), (About::Refused, "reeve://credentials"));
        assert_eq!(
            [said(1, false).len(), said(0, false).len(), said(1, false).len(), said(2, true).len()],
            [0, 0, 1, 0]
        );
    }

    #[test]
    fn files_that_were_loosened_outside_are_told_once_and_lead_to_their_place() {
        let mut notices = Notices::default();
        let mut said = |policy_waits: bool, in_front: bool| {
            let status = StatusDto { policy_waits, ..status(json!({ "state": "protected" }), 0) };
            notices.status(&Words::default(), Some(&status), in_front)
        };
        let told = said(true, false);
        assert_eq!((told[0].about, told[0].link.as_str()), (About::Loosened, "reeve://policies"));
        assert_eq!([said(true, false).len(), said(false, false).len(), said(true, true).len()], [0, 0, 0]);
    }

    #[test]
    fn every_notice_speaks_the_language_of_the_file() {
        let words = crate::words::pseudo();
        let mut notices = Notices::default();
        let question =
            |id: &str| ApprovalDto { agent_name: "1".to_owned(), cwd: "/2".to_owned(), ..question(id, "high") };
        let status = |protection, count| StatusDto {
            to_review: count,
            refused_credentials: count,
            policy_waits: count == 2,
            ..status(protection, 20_000_000_000)
        };
        let mut said = Vec::new();
        for id in ["apr_1", "apr_2"] {
            said.extend(notices.heard(&words, &batch(vec![question(id)]), false));
        }
        for count in [1, 2] {
            said.extend(notices.status(&words, Some(&status(json!({ "state": "protected" }), count)), false));
        }
        said.extend(notices.status(&words, None, false));
        said.extend(notices.status(&words, Some(&status(json!({ "state": "protected" }), 0)), false));
        said.extend(notices.status(&words, Some(&status(json!({ "state": "degraded", "cause": "3" }), 0)), false));
        assert_eq!(said.len(), 10);
        let narrow = |text: &str| text.contains(|c: char| c.is_ascii_alphabetic());
        assert!(!said.iter().any(|notice| narrow(&notice.title) || narrow(&notice.body)), "{said:?}");
    }

    #[test]
    fn only_lost_protection_cannot_be_turned_off() {
        let none = NotificationsDto { waiting: false, budget: false, denied_high: false };
        let wanted = |about: About| about.is_wanted(&none);
        assert!(wanted(About::ProtectionLost));
        assert!(
            ![About::Waiting, About::Budget, About::DeniedHigh, About::Review, About::Loosened, About::Refused]
                .into_iter()
                .any(wanted)
        );
    }
}

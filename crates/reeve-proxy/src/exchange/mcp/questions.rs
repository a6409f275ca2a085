//! What a session asked of its servers and has no answer to. Clients pair answers by their ids alone, on whichever stream they
//! come, so an answer is looked at as what its id was asked for, wherever the server says it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use crate::channel::Channel;
use crate::exchange::mcp::key;
use crate::exchange::request::Asked;
use crate::tools::{Party, Passage, Question, ToolMouth};

/// Most questions of one session that are remembered; the oldest go first, and their answers reach nobody on other streams.
const MOST: usize = 1000;
/// Longest question that is remembered, in bytes.
const LONGEST: usize = 4096;

/// The requests of one session that wait for their answers, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Questions(Mutex<VecDeque<(String, Question)>>);

impl Questions {
    fn note(&self, key: String, question: &Question) {
        let task = question.task.as_ref().map_or(0, String::len);
        if key.len() + question.method.len() + task > LONGEST {
            return;
        }
        let mut open = self.0.lock();
        if open.len() >= MOST {
            open.pop_front();
        }
        open.push_back((key, question.clone()));
    }

    /// The question with this key. Clients without MCP sessions may use the same ids at the same time: then it is the one whose
    /// answer matters more.
    fn find(&self, key: &str, matters: impl Fn(&Question) -> bool) -> Option<Question> {
        let open = self.0.lock();
        let mut found = open.iter().rev().filter(|(one, _)| one == key).map(|(_, question)| question);
        let newest = found.next()?;
        let heavier = if matters(newest) { None } else { found.find(|question| matters(question)) };
        Some(heavier.unwrap_or(newest).clone())
    }

    fn is_over(&self, question: &Question) {
        let mut open = self.0.lock();
        if let Some(at) = open.iter().position(|(_, one)| one == question) {
            open.remove(at);
        }
    }
}

/// Remembers what is asked.
pub(super) fn note(channel: &Channel, asked: &Asked, question: Option<&Question>) {
    if let Some(question) = question
        && let Some(desk) = channel.shared.desk(channel.session.id())
    {
        desk.questions.note(key(channel, asked, &question.id), question);
    }
}

/// Its answer was there, or will not come.
pub(super) fn is_over(channel: &Channel, question: &Question) {
    if let Some(desk) = channel.shared.desk(channel.session.id()) {
        desk.questions.is_over(question);
    }
}

/// Hears a message of a server as what it is. `own`: what was asked on the stream that it comes on.
pub(super) async fn hear(
    mouth: &Arc<dyn ToolMouth>,
    party: &Party,
    (channel, asked): (&Channel, &Asked),
    own: Option<&Question>,
    message: &Bytes,
) -> Passage {
    let question = mouth.answers(message).and_then(|id| answered(mouth, (channel, asked), own, &id));
    let passage = mouth.hear(party.clone(), question.as_ref(), message.clone()).await;
    if let Some(question) = &question {
        is_over(channel, question);
    }
    passage
}

/// What the answer with this id answers. The answer to a call is read where the call is made, and nowhere else.
fn answered(
    mouth: &Arc<dyn ToolMouth>,
    (channel, asked): (&Channel, &Asked),
    own: Option<&Question>,
    id: &Value,
) -> Option<Question> {
    // Some servers give a number back as a text, and most clients take it.
    let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    if let Some(own) = own.filter(|own| text(&own.id) == text(id)) {
        return Some(own.clone());
    }
    let key = key(channel, asked, id);
    if channel.shared.calls.is_under_way(&key) {
        return None;
    }
    let desk = channel.shared.desk(channel.session.id())?;
    desk.questions.find(&key, |question| mouth.concerns(Some(question), &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(method: &str) -> Question {
        Question { id: Value::from(1), method: method.to_owned(), first: true, listens: None, task: None }
    }

    #[test]
    fn of_two_questions_with_one_id_the_one_that_matters_is_found_until_it_is_over() {
        let (questions, matters) = (Questions::default(), |one: &Question| one.method == "tools/list");
        for method in ["ping", "tools/list", "prompts/list"] {
            questions.note("key".to_owned(), &question(method));
        }
        assert_eq!(questions.find("key", matters), Some(question("tools/list")));
        assert_eq!(questions.find("other", matters), None);
        questions.is_over(&question("tools/list"));
        assert_eq!(questions.find("key", matters), Some(question("prompts/list")));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let questions = Questions::default();
        questions.note("first".to_owned(), &question("ping"));
        for number in 0..MOST {
            questions.note(number.to_string(), &question("ping"));
        }
        assert_eq!(questions.find("first", |_| true), None);
        assert_eq!(questions.0.lock().len(), MOST);
        questions.note("long".to_owned(), &question(&"x".repeat(LONGEST)));
        assert_eq!(questions.find("long", |_| true), None);
    }
}

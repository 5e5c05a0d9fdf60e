//! What a server takes of a list, by leaving out what it chose and asking again: one question more than it takes.

use super::answer::{Answer, End};
use super::found::Preference;
use super::prober::Asked;

/// How an elimination ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server took nothing of what was left.
    Refused(End),
    /// Nothing was left.
    Exhausted,
    /// The server answered otherwise than it was asked: in another version, or with something that was not offered.
    Aside(Box<Answer>),
    /// The scan could not go on.
    Unknown,
}

/// What was chosen, in order, with its answer.
#[derive(Debug)]
pub(super) struct Eliminated<T> {
    pub(super) chosen: Vec<(T, Answer)>,
    pub(super) ended: Ended,
}

/// Asks for what is left of `pool` until nothing of it is taken. `chosen` says what an answer chose; `None` is an answer
/// aside.
pub(super) fn eliminate<T: Copy + PartialEq>(
    mut pool: Vec<T>,
    mut ask: impl FnMut(&[T]) -> Asked,
    choice: impl Fn(&Answer) -> Option<T>,
) -> Eliminated<T> {
    let mut chosen = Vec::new();
    let ended = loop {
        if pool.is_empty() {
            break Ended::Exhausted;
        }
        match ask(&pool) {
            Asked::Refused(end) => break Ended::Refused(end),
            Asked::Unknown => break Ended::Unknown,
            Asked::Answered(answer) => match choice(&answer) {
                Some(one) if pool.contains(&one) => {
                    pool.retain(|left| *left != one);
                    chosen.push((one, *answer));
                }
                // It began to answer, and broke off: it found out late that it cannot.
                None if answer.end != End::Settled => break Ended::Refused(answer.end),
                _ => break Ended::Aside(answer),
            },
        }
    };
    Eliminated { chosen, ended }
}

/// Who chooses among `found`, which is in the order the server chose: asked in the reverse order, does the server stay with
/// the first of its own, or take the client's first?
pub(super) fn preference<T: Copy + PartialEq>(
    found: &[T],
    ask: impl FnOnce(&[T]) -> Asked,
    choice: impl Fn(&Answer) -> Option<T>,
) -> Option<Preference> {
    let [first, .., last] = found else { return None };
    let reversed: Vec<T> = found.iter().rev().copied().collect();
    let Asked::Answered(answer) = ask(&reversed) else { return None };
    let chosen = choice(&answer)?;
    Some(match chosen {
        chosen if chosen == *first => Preference::Server,
        chosen if chosen == *last => Preference::Client,
        _ => Preference::Mixed,
    })
}

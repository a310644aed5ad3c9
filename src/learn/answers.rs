//! What a visitor answered: the last answer to each question, and the last Net Promoter Score.
//!
//! The newest counts, of the same instant the larger one. So any order leads to the same, as do repetitions, and parts merged in any order.
//! [`MOST`] questions are kept, the newest.

use super::event::{Event, ONE, Scalar, cut};

/// How many questions are kept.
pub(crate) const MOST: usize = 32;
/// The longest name of a question, in bytes.
pub(crate) const MOST_QUESTION: usize = 64;
/// The longest answer, in bytes.
pub(crate) const MOST_ANSWER: usize = 256;

/// The events that answers come in.
pub(crate) const QUESTION_ANSWERED: &str = "Question Answered";
pub(crate) const NPS_ANSWERED: &str = "NPS Answered";

/// A visitor's answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Answers {
    /// Question, when, answer; in the order of the questions.
    pub(crate) questions: Vec<(String, i64, String)>,
    /// When, and 0 to 10.
    pub(crate) nps: Option<(i64, u8)>,
}

impl Answers {
    /// Takes an answer.
    pub(crate) fn add(&mut self, event: &Event) {
        let (Some(question), Some(answer)) = (event.text("question"), event.property("answer")) else { return };
        let (question, answer) = (cut(question, MOST_QUESTION), answer.text());
        if !question.is_empty() && !answer.is_empty() {
            self.put(question, event.at, cut(&answer, MOST_ANSWER));
        }
    }

    /// Takes a score.
    pub(crate) fn score(&mut self, event: &Event) {
        let score = event.property("score").and_then(Scalar::as_number);
        let Some(score) = score.filter(|score| (0..=10 * ONE).contains(score) && score % ONE == 0) else { return };
        self.nps = self.nps.max(Some((event.at, (score / ONE) as u8)));
    }

    fn put(&mut self, question: &str, at: i64, answer: &str) {
        match self.questions.binary_search_by(|(known, ..)| known.as_str().cmp(question)) {
            Ok(place) => {
                if let Some((_, known_at, known)) = self.questions.get_mut(place)
                    && (at, answer) > (*known_at, known.as_str())
                {
                    (*known_at, *known) = (at, answer.to_owned());
                }
            }
            Err(place) => {
                self.questions.insert(place, (question.to_owned(), at, answer.to_owned()));
                if self.questions.len() > MOST {
                    let oldest = self.questions.iter().enumerate().min_by_key(|(_, (question, at, _))| (*at, question));
                    let oldest = oldest.map_or(0, |(place, _)| place);
                    self.questions.remove(oldest);
                }
            }
        }
    }

    /// Takes another part's answers.
    pub(crate) fn merge(&mut self, other: &Answers) {
        for (question, at, answer) in &other.questions {
            self.put(question, *at, answer);
        }
        self.nps = self.nps.max(other.nps);
    }

    /// The last answer to a question.
    pub(crate) fn get(&self, question: &str) -> Option<&str> {
        self.questions.iter().find(|(known, ..)| known == question).map(|(.., answer)| answer.as_str())
    }

    /// Who gives nine or ten promotes, who gives six or less detracts (Reichheld, "The One Number You Need to Grow", 2003).
    pub(crate) fn category(&self) -> Option<&'static str> {
        Some(match self.nps?.1 {
            9.. => "promoter",
            7..=8 => "passive",
            _ => "detractor",
        })
    }
}

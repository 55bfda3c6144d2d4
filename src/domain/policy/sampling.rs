//! What a policy says of samples, of who reviews them, and of findings.

use super::{Rule, build::Held};
use crate::domain::{
    sampling::{Counted, Office, Rotation, SampleClass, SampleSize},
    time::Period,
};

/// A rule by which a link is sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleRule {
    /// Which.
    pub class: SampleClass,
    /// How often: periods of the calendar.
    pub period: Period,
    /// What it is counted in.
    pub counted: Counted,
    /// How much.
    pub size: SampleSize,
    /// The clause.
    pub clause: String,
}

/// Samples, their reviewers and findings, as far as a policy says something of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SamplingRule {
    /// The rule of every link.
    pub ordinary: Option<SampleRule>,
    /// The further rule of links with data of kinship.
    pub kinship: Option<SampleRule>,
    /// How long samples and what came of them are kept, at least.
    pub retention: Option<Rule<Period>>,
    /// Whether reviewers take turns.
    pub rotation: Option<Rule<Rotation>>,
    /// The offices that review together.
    pub team: Option<Rule<Vec<Office>>>,
    /// The offices that look into what was found together.
    pub joint: Option<Rule<Vec<Office>>>,
    /// How long a correction may take where no day is said.
    pub correct_within: Option<Rule<Period>>,
}

impl SamplingRule {
    pub(super) fn of(held: &Held) -> Self {
        let number = |key| held.number(key).map_or(0, |rule| rule.value);
        let rule = |class, period, rate: &str| {
            let (period, rate): (Rule<Period>, Rule<u64>) =
                (held.period(period)?, held.number(rate)?);
            let kinship = class == SampleClass::Kinship;
            let counted = held.word("sampling.counted", Counted::parse).map(|rule| rule.value);
            Some(SampleRule {
                class,
                period: period.value,
                // 查詢件數: those of kinship are counted in queries, whatever the others are.
                counted: counted.filter(|_| !kinship).unwrap_or(Counted::Queries),
                size: SampleSize {
                    rate: rate.value,
                    floor: if kinship { 0 } else { number("sampling.floor") },
                    all_below: if kinship { 0 } else { number("sampling.all_below") },
                },
                clause: rate.clause,
            })
        };
        Self {
            ordinary: rule(SampleClass::Ordinary, "sampling.period", "sampling.rate"),
            kinship: rule(SampleClass::Kinship, "sampling.kinship_period", "sampling.kinship_rate"),
            retention: held.period("sampling.retention"),
            rotation: held.word("auditor.rotation", Rotation::parse),
            team: held.words("auditor.team", Office::parse),
            joint: held.words("auditor.joint", Office::parse),
            correct_within: held.period("auditor.correct_within"),
        }
    }

    /// The rules by which a link is sampled.
    pub fn of_link(&self, kinship: bool) -> impl Iterator<Item = &SampleRule> {
        self.ordinary.iter().chain(self.kinship.iter().filter(move |_| kinship))
    }
}

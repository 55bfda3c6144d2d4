//! The proof of a sample: a file from which anyone draws it again, without the agent (docs/sampling.md).

use serde::{Deserialize, Serialize};

use super::{
    digest::Digest,
    entry::{self, SampleDrawn, SampleListed, SampleSealed},
    ids::SampleId,
    sampling::{self, Item},
};

/// What the file calls itself.
pub const SAMPLE_PROOF: &str = "batchward-sample";
/// Bytes of such a file: a population of some hundred thousand askings.
pub const SAMPLE_PROOF_BYTES_MAX: u64 = 64 << 20;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleProof {
    /// [`SAMPLE_PROOF`].
    pub r#type: String,
    /// Version of this form, 1.
    pub v: u32,
    /// Origin of the register.
    pub origin: String,
    /// The sample.
    pub sample: SampleId,
    /// What was counted.
    pub population: Vec<Item>,
    /// Proof of the entry by which the agent bound itself to the seed (C2SP tlog-proof).
    pub sealed: String,
    /// Proof of the entry that says how it was drawn.
    pub drawn: String,
    /// Proofs of the entries that list what was drawn.
    pub listed: Vec<String>,
}

/// The entries that a proof rests on, once they are known to be the register's.
pub struct Entries {
    /// The seed's digest.
    pub sealed: SampleSealed,
    /// Its place.
    pub sealed_at: u64,
    /// The draw.
    pub drawn: SampleDrawn,
    /// Its place.
    pub drawn_at: u64,
    /// What was drawn, with the place of each list.
    pub listed: Vec<(u64, SampleListed)>,
}

impl SampleProof {
    /// What does not hold, drawing it again.
    #[must_use]
    pub fn problems(&self, entries: &Entries) -> Vec<&'static str> {
        let terms = &entries.drawn.terms;
        let (sealed, mut problems) = (&entries.sealed, Vec::new());
        let mut check = |holds: bool, problem| {
            if !holds {
                problems.push(problem);
            }
        };
        let of = (&sealed.link, sealed.class, &sealed.period);
        check(
            of == (&terms.link, terms.class, &terms.period),
            "the seed is that of another sample",
        );
        let bound = terms.sealed == entries.sealed_at && entries.sealed_at < entries.drawn_at;
        check(bound, "the seed was not bound before the sample was drawn");
        let seed = Digest::of(terms.seed.as_bytes());
        check(seed == sealed.seed, "the seed is not the one that the register has the digest of");
        let ordered = self.population.windows(2).all(|pair| pair[0].entry < pair[1].entry);
        let within = self.population.iter().all(|item| item.entry < terms.tree_size);
        check(ordered && within, "what was counted is not in its order, or lies behind the period");
        let digest = entry::canonical(&self.population).map(|bytes| Digest::of(&bytes));
        let counted = digest.is_ok_and(|digest| digest == terms.population);
        check(counted, "what was counted is not what the register has the digest of");
        let count = sampling::count(terms.unit, &self.population);
        check(count == terms.counted, "another number was counted");
        check(terms.size >= terms.rule.of(count), "fewer were drawn than the policy asks for");
        let again =
            sampling::draw(terms.unit, &self.population, terms.seed, terms.root, terms.size);
        let mut places: Vec<u64> = entries
            .listed
            .iter()
            .flat_map(|(_, part)| part.drawn.values().flatten().copied())
            .collect();
        places.sort_unstable();
        check(places == again, "drawn again, it is another sample");
        let whole = entries.drawn.parts == entries.listed.len() as u64;
        let follow = (entries.drawn_at + 1..).zip(&entries.listed);
        let mut follow =
            follow.map(|(place, (at, part))| place == *at && part.sample == self.sample);
        check(whole && follow.all(|holds| holds), "the lists of what was drawn are not all there");
        check(entries.drawn.sample == self.sample, "it is the proof of another sample");
        problems
    }
}

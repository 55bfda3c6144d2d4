//! The proof of a sample, as a file.

use serde::{Deserialize, Serialize};

use super::{Result, Service, population_digest};
use crate::{
    domain::{
        ids::SampleId,
        sample_proof::{SAMPLE_PROOF, SampleProof},
    },
    error::{Error, Exit},
};

/// The proof of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleProofText {
    /// The file.
    pub text: String,
}

impl Service {
    /// The proof of a sample: places and counts, nobody's name and nothing that was looked for.
    ///
    /// # Errors
    /// There is no such sample, or what it was drawn from cannot be counted any more.
    pub(in crate::service) fn sample_proof(&self, id: SampleId) -> Result<SampleProofText> {
        let row = self.sample_row(id)?;
        let population = self.population_of(&row.terms)?;
        if population_digest(&population)? != row.terms.population {
            return Err(Error::new(
                Exit::Unavailable,
                format!("what '{id}' was drawn from cannot be counted any more"),
            )
            .hint("a key of the access log was destroyed since: the proof is the file that was made before"));
        }
        let size = self.engine.view.size;
        let proof = |seq| self.entry_proof(seq, size).map(|proof| proof.text);
        let listed = (row.drawn.seq + 1..=row.last).map(proof).collect::<Result<Vec<_>>>()?;
        let file = SampleProof {
            r#type: SAMPLE_PROOF.to_owned(),
            v: 1,
            origin: self.origin()?,
            sample: id,
            population: population.items,
            sealed: proof(row.terms.sealed)?,
            drawn: proof(row.drawn.seq)?,
            listed,
        };
        let text = serde_json::to_string_pretty(&file)
            .map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        Ok(SampleProofText { text: text + "\n" })
    }
}

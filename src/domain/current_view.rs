//! The current view of a link (DESIGN 6): which batches a query sees, and in which order.
//!
//! The base is the newest full file that was ever opened, by the time that its data stand for and then by the order
//! of loading; the change files after it follow. An older full file never becomes current again, even when the
//! newer one is destroyed: what was superseded must not come back as if it were news. What waits for a seal or a
//! confirmation is not there yet: until then the view is what it was. Where it would be without its base, there is none.

use super::{ids::BatchId, time::Timestamp};

/// How a batch that was loaded stands for who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be read.
    Readable,
    /// It waits for a seal or a confirmation.
    Shut,
    /// The unit for which it is read has completed its use.
    Over,
    /// Nobody reads it any more.
    Gone,
}

/// A batch that was loaded on the link at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The batch.
    pub batch: BatchId,
    /// Whether it is a full file.
    pub full: bool,
    /// The time that its data stand for.
    pub as_of: Timestamp,
    /// Its place in the order of loading.
    pub loaded_at: u64,
    /// Whether it can be read.
    pub standing: Standing,
}

impl Candidate {
    const fn age(&self) -> (Timestamp, u64) {
        (self.as_of, self.loaded_at)
    }

    fn is_shut(&self) -> bool {
        self.standing == Standing::Shut
    }
}

/// Why there is no current view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A change file can no longer be read: without it, people whom it removed or changed would come back as they were.
    Gone(BatchId),
    /// This is part of it, and waits for a seal or a confirmation.
    Shut(BatchId),
    /// This is part of it, and the unit has completed its use of it.
    Over(BatchId),
}

/// The batches of the current view, oldest first.
///
/// # Errors
/// A part of it cannot be read: without it the view would be wrong, so there is none at all.
pub fn order(loaded: &[Candidate]) -> Result<Vec<BatchId>, Broken> {
    let open = |c: &&Candidate| !c.is_shut();
    let fulls = || loaded.iter().filter(|c| c.full);
    let base = fulls().filter(open).max_by_key(|c| c.age());
    // A change file that is shut is not there yet, unless what came after it is: without it, that says too little.
    let newest = loaded.iter().filter(open).map(|c| c.loaded_at).max();
    let mut deltas: Vec<&Candidate> = loaded
        .iter()
        .filter(|c| !c.full && base.is_none_or(|base| c.age() > base.age()))
        .filter(|c| !c.is_shut() || Some(c.loaded_at) < newest)
        .collect();
    deltas.sort_by_key(|c| c.age());
    if let Some(base) = base.filter(|base| base.standing == Standing::Over) {
        return Err(Broken::Over(base.batch));
    }
    // The full file under these change files is shut, and there is no other one under them.
    let based = base.is_some_and(|base| base.standing == Standing::Readable);
    let under = |c: &&Candidate| {
        let below = || deltas.iter().any(|delta| c.age() < delta.age());
        c.is_shut() && base.map_or_else(below, |base| c.age() > base.age())
    };
    if let Some(shut) = fulls().filter(under).max_by_key(|c| c.age()).filter(|_| !based) {
        return Err(Broken::Shut(shut.batch));
    }
    for delta in &deltas {
        match delta.standing {
            Standing::Readable => {}
            Standing::Shut => return Err(Broken::Shut(delta.batch)),
            Standing::Over => return Err(Broken::Over(delta.batch)),
            Standing::Gone => return Err(Broken::Gone(delta.batch)),
        }
    }
    let base = base.filter(|base| base.standing == Standing::Readable);
    Ok(base.into_iter().chain(deltas).map(|c| c.batch).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(batch: u64, full: bool, as_of: i64, readable: bool) -> Candidate {
        standing(batch, full, as_of, if readable { Standing::Readable } else { Standing::Gone })
    }

    fn standing(batch: u64, full: bool, as_of: i64, standing: Standing) -> Candidate {
        let as_of = Timestamp::from_millis(as_of);
        Candidate { batch: BatchId::new(batch), full, as_of, loaded_at: batch, standing }
    }

    fn numbers(loaded: &[Candidate]) -> Vec<u64> {
        order(loaded).unwrap_or_default().into_iter().map(BatchId::number).collect()
    }

    #[test]
    fn change_files_before_the_newest_full_file_are_over() {
        let loaded = [
            candidate(1, true, 10, true),
            candidate(2, false, 20, true),
            candidate(3, true, 30, true),
            candidate(4, false, 40, true),
        ];
        assert_eq!(numbers(&loaded), [3, 4]);
    }

    #[test]
    fn a_late_change_file_stands_where_its_data_stand() {
        let loaded = [
            candidate(1, true, 30, true),
            candidate(2, false, 20, true),
            candidate(3, false, 30, true),
        ];
        assert_eq!(numbers(&loaded), [1, 3]);
    }

    #[test]
    fn an_older_full_file_never_becomes_current() {
        let loaded = [
            candidate(1, true, 10, true),
            candidate(2, true, 20, false),
            candidate(3, false, 30, true),
        ];
        assert_eq!(numbers(&loaded), [3]);
    }

    #[test]
    fn a_change_file_that_is_gone_leaves_no_view() {
        let loaded = [candidate(1, true, 10, true), candidate(2, false, 20, false)];
        assert_eq!(order(&loaded), Err(Broken::Gone(BatchId::new(2))));
        let newer = [
            candidate(1, true, 10, true),
            candidate(2, false, 20, false),
            candidate(3, true, 30, true),
        ];
        assert_eq!(numbers(&newer), [3]);
    }

    #[test]
    fn change_files_stand_alone_where_there_never_was_a_full_file() {
        assert_eq!(
            numbers(&[candidate(2, false, 20, true), candidate(1, false, 10, true)]),
            [1, 2]
        );
    }

    #[test]
    fn a_full_file_that_waits_for_its_seal_takes_the_base_from_no_change_file() {
        let shut = standing(3, true, 30, Standing::Shut);
        let before = [candidate(1, true, 10, true), candidate(2, false, 20, true)];
        let with = |more: &[Candidate]| [before.as_slice(), more].concat();
        assert_eq!(numbers(&with(&[shut])), [1, 2]);
        // What came after it follows the base that there is.
        assert_eq!(numbers(&with(&[shut, candidate(4, false, 40, true)])), [1, 2, 4]);
        // It stands for an earlier time than the change file.
        assert_eq!(numbers(&with(&[standing(3, true, 15, Standing::Shut)])), [1, 2]);
        assert_eq!(numbers(&with(&[candidate(3, true, 30, true)])), [3]);
        // The base that there was is gone.
        let gone = [candidate(1, true, 10, false), candidate(2, false, 20, true), shut];
        assert_eq!(order(&gone), Err(Broken::Shut(BatchId::new(3))));
        // There never was another one.
        let first = [standing(1, true, 10, Standing::Shut), candidate(2, false, 20, true)];
        assert_eq!(order(&first), Err(Broken::Shut(BatchId::new(1))));
        assert_eq!(numbers(&[candidate(2, false, 20, true), shut]), [2]);
    }

    #[test]
    fn a_change_file_that_is_shut_is_not_there_yet_unless_the_next_one_is() {
        let base = candidate(1, true, 10, true);
        let shut = standing(2, false, 20, Standing::Shut);
        assert_eq!(numbers(&[base, shut]), [1]);
        let next = candidate(3, false, 30, true);
        assert_eq!(order(&[base, shut, next]), Err(Broken::Shut(BatchId::new(2))));
    }

    #[test]
    fn a_unit_that_is_done_with_a_part_of_the_view_has_none() {
        let over = |batch, full, as_of| standing(batch, full, as_of, Standing::Over);
        let delta = candidate(2, false, 20, true);
        assert_eq!(order(&[over(1, true, 10), delta]), Err(Broken::Over(BatchId::new(1))));
        let done = [candidate(1, true, 10, true), over(2, false, 20)];
        assert_eq!(order(&done), Err(Broken::Over(BatchId::new(2))));
        // An older full file does not come back instead.
        let newer = [candidate(1, true, 10, true), delta, over(3, true, 30)];
        assert_eq!(order(&newer), Err(Broken::Over(BatchId::new(3))));
    }
}

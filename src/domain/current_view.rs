//! The current view of a link (DESIGN 6): which batches a query sees, and in which order.
//!
//! The base is the newest full file that was ever loaded, by the time that its data stand for and then by the order
//! of loading; the change files after it follow. An older full file never becomes current again, even when the
//! newer one is destroyed: what was superseded must not come back as if it were news.

use super::{ids::BatchId, time::Timestamp};

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
    /// Whether it can still be read.
    pub readable: bool,
}

/// The batches of the current view, oldest first.
///
/// # Errors
/// A change file of it can no longer be read: without it, people whom it removed or changed would come back as they
/// were, so there is no view at all.
pub fn order(loaded: &[Candidate]) -> Result<Vec<BatchId>, BatchId> {
    let age = |c: &Candidate| (c.as_of, c.loaded_at);
    let base = loaded.iter().filter(|c| c.full).max_by_key(|c| age(c));
    let mut seen: Vec<&Candidate> = loaded
        .iter()
        .filter(|c| match base {
            Some(base) => c.batch == base.batch || (!c.full && age(c) > age(base)),
            None => true,
        })
        .collect();
    seen.sort_by_key(|c| (!c.full, age(c)));
    match seen.iter().find(|c| !c.full && !c.readable) {
        Some(missing) => Err(missing.batch),
        None => Ok(seen.into_iter().filter(|c| c.readable).map(|c| c.batch).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(batch: u64, full: bool, as_of: i64, readable: bool) -> Candidate {
        let as_of = Timestamp::from_millis(as_of);
        Candidate { batch: BatchId::new(batch), full, as_of, loaded_at: batch, readable }
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
        assert_eq!(order(&loaded), Err(BatchId::new(2)));
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
}

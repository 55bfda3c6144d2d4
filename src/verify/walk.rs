//! A folder and, where there is one, the journal beside it, read piece by piece together: so each is read once, an entry
//! that stands in both is hashed and judged once, and nothing is held that grows with the log but 32 bytes for each 256
//! entries.

use super::{
    Report,
    files::{Folder, Piece as Published},
    form::Times,
    journal::{Piece, Source, Walk},
    pieces,
    tree::{self, Tree},
};
use crate::domain::{checkpoint::Checkpoint, digest::Digest, merkle::TILE_WIDTH};

/// What is read.
pub(super) struct Log<'a> {
    /// The published files, where their checkpoint is signed.
    pub(super) folder: Option<Folder<'a>>,
    pub(super) journal: Option<Source<'a>>,
    pub(super) checkpoint: Option<&'a Checkpoint>,
}

/// One piece of both.
#[derive(Default)]
struct Both {
    published: Option<Published>,
    /// Nodes over the published entries, where none is missing.
    rows: Vec<Vec<Digest>>,
    /// What was found in the files, and what in the journal.
    found: [Report; 2],
    journal: Piece,
}

impl Log<'_> {
    /// Reads and judges all. What was found in the files, and what in the journal; the tree of the files.
    pub(super) fn walk<'t>(&self, mut tree: Tree<'t>) -> (Tree<'t>, [Report; 2]) {
        let published = self.folder.as_ref().map_or(0, |folder| folder.size.div_ceil(TILE_WIDTH));
        let mut walk = self.journal.as_ref().map(|journal| Walk::new(journal, self.checkpoint));
        let size = walk.as_ref().map_or(0, Walk::size);
        let mut found = Report::default();
        let (mut times, mut next) = (Times::default(), 0);
        let mut files_over = published == 0;
        pieces::in_order(
            published.max(size.div_ceil(TILE_WIDTH)),
            || None,
            |connection, index| {
                let mut both = Both::default();
                self.files(index, published, &mut both);
                if let Some(journal) = self.journal.as_ref().filter(|_| index * TILE_WIDTH < size) {
                    let from = index * TILE_WIDTH;
                    let range = (from, size.min(from + TILE_WIDTH));
                    let beside = both.published.as_ref();
                    both.journal = journal.piece(connection, range, beside, &mut both.found[1]);
                }
                both
            },
            |both| {
                let [files, journal] = both.found;
                if !files_over {
                    found.absorb(files);
                    let leaves = both.published.as_ref().map_or(&[][..], |piece| &piece.leaves);
                    tree.add(&both.rows, leaves);
                    if let Some(piece) = &both.published {
                        times.join(piece.times, &mut found);
                    }
                    next += 1;
                    // Where nothing of a piece is there, what follows is not looked for.
                    files_over = both.published.is_none() || next == published;
                }
                if let Some(walk) = &mut walk {
                    walk.join(both.journal, journal);
                }
                !(files_over && walk.as_ref().is_none_or(Walk::is_over))
            },
        );
        (tree, [found, walk.map_or_else(Report::default, Walk::end)])
    }

    fn files(&self, index: u64, published: u64, both: &mut Both) {
        let Some(folder) = self.folder.as_ref().filter(|_| index < published) else { return };
        both.published = folder.piece(index, &mut both.found[0]);
        let leaves = both.published.iter().flat_map(|piece| piece.leaves.iter().copied());
        if let Some(leaves) = leaves.collect::<Option<Vec<_>>>() {
            both.rows = tree::rows(leaves);
        }
    }
}

//! What two cells of one slot mean together: the one rule of reading the key store.
//!
//! A slot has a cell in each generation file. A change writes the cell that does not count, syncs it, and only then
//! wipes the one that did. So at most one cell of one slot is torn by a stop, and the other one says what holds.
//! A tombstone in either cell wins whatever stands in the other.

use super::cell::{Body, Cell, Header};

/// One of the two generation files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    A,
    B,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// What holds of a slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was ever put here.
    Unused,
    /// The very first write of the slot was cut off, and nobody was told that it was done.
    Unborn,
    /// `header`, in the cell of `side`, counts. `settled`: the other cell is wiped and says so.
    Stands { side: Side, header: Header, settled: bool },
    /// What counted is lost: no stop of ours leaves this. `over` is the cell that a tombstone may be written to,
    /// under a generation above `generation`.
    Damaged { name: Option<String>, generation: u64, over: Side },
}

/// Judges a slot by its two cells.
pub(super) fn judge(a: Cell, b: Cell) -> Verdict {
    match (a, b) {
        (Cell::Empty, Cell::Empty) => Verdict::Unused,
        (Cell::Written(a), Cell::Written(b)) => both(a, b),
        (Cell::Written(header), _) => one(Side::A, header),
        (_, Cell::Written(header)) => one(Side::B, header),
        // The first write of a slot goes to A. B is written only beside a durable A.
        (Cell::Torn, Cell::Empty) => Verdict::Unborn,
        _ => Verdict::Damaged { name: None, generation: 0, over: Side::A },
    }
}

/// One whole cell beside a torn or empty one: the other was being written, or being wiped.
fn one(side: Side, header: Header) -> Verdict {
    match header.body {
        Body::Live { .. } | Body::Tombstone { .. } => {
            Verdict::Stands { side, header, settled: false }
        }
        // It says that the other one was whole and durable.
        Body::Free => Verdict::Damaged {
            name: Some(header.name),
            generation: header.generation,
            over: side.other(),
        },
    }
}

fn both(a: Header, b: Header) -> Verdict {
    let generation = a.generation.max(b.generation);
    if a.name != b.name {
        return Verdict::Damaged { name: None, generation, over: Side::A };
    }
    let damaged = |name, over| Verdict::Damaged { name: Some(name), generation, over };
    let stands = |side, header, settled| Verdict::Stands { side, header, settled };
    match (&a.body, &b.body) {
        (Body::Tombstone { .. }, Body::Tombstone { .. }) => {
            let side = if a.generation >= b.generation { Side::A } else { Side::B };
            stands(side, if side == Side::A { a } else { b }, false)
        }
        (Body::Tombstone { .. }, other) => {
            let settled = *other == Body::Free && a.generation == b.generation;
            stands(Side::A, a, settled)
        }
        (other, Body::Tombstone { .. }) => {
            let settled = *other == Body::Free && a.generation == b.generation;
            stands(Side::B, b, settled)
        }
        (Body::Live { .. }, Body::Live { .. }) if a.generation > b.generation => {
            stands(Side::A, a, false)
        }
        (Body::Live { .. }, Body::Live { .. }) if a.generation < b.generation => {
            stands(Side::B, b, false)
        }
        // A free cell that knows of a later generation than the live one: an old cell has come back.
        (Body::Live { .. }, Body::Free) if a.generation >= b.generation => {
            let settled = a.generation == b.generation;
            stands(Side::A, a, settled)
        }
        (Body::Free, Body::Live { .. }) if b.generation >= a.generation => {
            let settled = a.generation == b.generation;
            stands(Side::B, b, settled)
        }
        (Body::Free, Body::Live { .. }) => damaged(a.name, Side::B),
        _ => damaged(a.name, Side::A),
    }
}

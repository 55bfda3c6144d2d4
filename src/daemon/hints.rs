//! What watchers noticed and the engine has not taken yet. It cannot grow: a link is in it once, or everything is.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::engine::Hint;

/// Hints that wait.
#[derive(Default)]
pub(super) struct Hints(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    links: BTreeSet<String>,
    all: bool,
}

impl Hints {
    /// Something changed at a link. Says whether the engine has to be woken: it was not told of anything yet.
    pub(super) fn link(&self, link: &str) -> bool {
        self.add(|pending| {
            pending.links.insert(link.to_owned());
        })
    }

    /// Something may have changed anywhere.
    pub(super) fn all(&self) -> bool {
        self.add(|pending| pending.all = true)
    }

    fn add(&self, change: impl FnOnce(&mut Pending)) -> bool {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !pending.all && pending.links.is_empty();
        change(&mut pending);
        first
    }

    /// Takes everything.
    pub(super) fn take(&self) -> Vec<Hint> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Pending { links, all } = std::mem::take(&mut *pending);
        if all { vec![Hint::All] } else { links.into_iter().map(Hint::Link).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_hints_about_one_link_are_one_and_everything_is_one() {
        let hints = Hints::default();
        assert!(hints.link("one"), "the first wakes the engine");
        assert!((0..1000).all(|_| !hints.link("one")), "the others need not");
        hints.link("two");
        let links = ["one", "two"].map(|link| Hint::Link(link.to_owned()));
        assert_eq!(hints.take(), links);
        assert!(hints.take().is_empty());
        assert!(hints.all());
        hints.link("one");
        assert_eq!(hints.take(), [Hint::All]);
    }
}

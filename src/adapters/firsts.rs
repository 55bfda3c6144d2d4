//! The first of many in their order, in bounded memory: of what comes unordered, no more than twice as many are held as are kept.

/// Those that come first, and whether some were left out.
pub(super) struct Firsts<T> {
    most: usize,
    held: Vec<T>,
    cut: bool,
}

impl<T: Ord> Firsts<T> {
    /// Keeps no more than `most`.
    pub(super) const fn new(most: usize) -> Self {
        Self { most, held: Vec::new(), cut: false }
    }

    pub(super) fn push(&mut self, one: T) {
        self.held.push(one);
        if self.held.len() > self.most.saturating_mul(2) {
            self.held.select_nth_unstable(self.most);
            self.held.truncate(self.most);
            self.cut = true;
        }
    }

    /// Those that are kept, in order, and whether there were more. What was never over twice as many is kept whole.
    pub(super) fn in_order(mut self) -> (Vec<T>, bool) {
        self.held.sort_unstable();
        if self.cut {
            // Between those that came after the last cut, some that were cut are missing.
            self.held.truncate(self.most);
        }
        (self.held, self.cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(most: usize, of: &[u32]) -> (Vec<u32>, bool) {
        let mut firsts = Firsts::new(most);
        of.iter().for_each(|one| firsts.push(*one));
        firsts.in_order()
    }

    #[test]
    fn the_first_are_kept_in_whatever_order_they_come() {
        let down: Vec<u32> = (0..100).rev().collect();
        assert_eq!(first(7, &down), ((0..7).collect(), true));
        let up: Vec<u32> = (0..100).collect();
        assert_eq!(first(7, &up), ((0..7).collect(), true));
        assert_eq!(first(3, &[5, 9, 5, 1]), (vec![1, 5, 5, 9], false));
        assert_eq!(first(0, &[5]), (Vec::new(), true));
    }
}
